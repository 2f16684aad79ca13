/** Fills the cells with what stood at the cursor's time: one question a hundred assets, the latest time wins. */

import { effect, signal } from "@preact/signals";

import { escapePath, get, words } from "../api/http";
import type { State } from "../api/types";
import type { Cell } from "../live/cells";
import { cells, epoch, wantedTurn } from "../live/live";
import type { Quality } from "../live/quality";
import { inPast } from "./cursor";
import { pastTime } from "./shown";
import { isoOf } from "./zoned";

const AT_ONCE = 40;
const PAUSE_MS = 30;

/** Why the past is not shown, in words. */
export const pastError = signal<string | null>(null);
/** Whether the values of the cursor's time are still asked for. */
export const pastBusy = signal(false);

let asking: AbortController | null = null;
let timer: ReturnType<typeof setTimeout> | null = null;

/** The cells of one state as it stood. */
export function cellsOf(state: State): Cell[] {
  return Object.entries(state.properties).map(([name, shown]) => ({
    path: `${state.asset}/${name}`,
    value: shown.value ?? Number.NaN,
    quality: shown.quality as Quality,
    time: shown.time ? Date.parse(shown.time) / 1000 : Number.NaN,
    age: shown.age_s ?? Number.NaN,
  }));
}

function assetsOf(paths: readonly string[]): string[] {
  return [...new Set(paths.map((path) => path.slice(0, path.lastIndexOf("/"))))];
}

async function some(assets: readonly string[], at: number, stop: AbortSignal): Promise<Cell[]> {
  const query = assets.map((asset) => `asset=${escapePath(asset)}`).join("&");
  const answer = await get<{ items: State[] }>(`state?${query}`, { at: isoOf(at) }, stop);
  return answer.items.flatMap(cellsOf);
}

async function fill(at: number): Promise<void> {
  asking?.abort();
  const mine = new AbortController();
  asking = mine;
  const assets = assetsOf(cells.wanted());
  const parts = Array.from({ length: Math.ceil(assets.length / AT_ONCE) }, (_all, i) =>
    some(assets.slice(i * AT_ONCE, (i + 1) * AT_ONCE), at, mine.signal),
  );
  pastBusy.value = true;
  try {
    const found = (await Promise.all(parts)).flat();
    if (mine.signal.aborted) return;
    cells.setPast(new Map(found.map((cell) => [cell.path, cell])));
    pastError.value = null;
    pastBusy.value = false;
  } catch (error) {
    if (mine.signal.aborted) return;
    pastError.value = words(error);
    pastBusy.value = false;
  }
}

/** Begins to follow the cursor; called once. */
export function followCursor(): void {
  effect(() => {
    document.documentElement.dataset.time = inPast.value ? "past" : "live";
    if (inPast.value) cells.setPast(new Map());
    else {
      asking?.abort();
      cells.setPast(null);
      pastError.value = null;
      pastBusy.value = false;
    }
  });
  effect(() => {
    const at = pastTime.value;
    if (at === null || wantedTurn.value < 0 || epoch.value < 0) return;
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(() => void fill(at), PAUSE_MS);
  });
}
