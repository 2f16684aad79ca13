/** The list of alarms, kept fresh by facts; asked for at most four times a second however many happen. */

import { computed, effect, signal } from "@preact/signals";

import { before } from "./alarm-order";
import { get, Problem, send, words } from "./api/http";
import type { Alarm, AlarmList } from "./api/types";
import { counts, epoch, flood, onFact } from "./live/live";
import { inPast } from "./time/cursor";
import { atQuery, pastTime } from "./time/shown";

const PAUSE_MS = 250;

export const alarms = signal<Alarm[]>([]);
export const alarmsError = signal<string | null>(null);

let asking = false;
let again = false;

async function ask(): Promise<void> {
  try {
    const asked = pastTime.peek();
    const list = await get<AlarmList>("alarms", { limit: 1000, ...atQuery() });
    if (asked !== pastTime.peek()) return; // the cursor has moved on: asked again already
    alarms.value = list.items;
    counts.value = list.counts;
    flood.value = list.flood;
    alarmsError.value = null;
  } catch (error) {
    alarmsError.value = words(error);
  }
}

/** Asks for the list soon; calls while one is under way are one more afterwards. */
export function refreshAlarms(): void {
  if (asking) {
    again = true;
    return;
  }
  asking = true;
  void ask().finally(() =>
    setTimeout(() => {
      asking = false;
      if (!again) return;
      again = false;
      refreshAlarms();
    }, PAUSE_MS),
  );
}

effect(() => {
  if (epoch.value > 0 && (!inPast.value || pastTime.value !== null)) refreshAlarms();
});
onFact((fact) => {
  if (inPast.peek()) return;
  if (fact === null || fact.kind.startsWith("Alarm")) refreshAlarms();
});

/** The alarm that counts most for each asset: the highest priority that is not shelved. */
export const worstByAsset = computed(() => {
  const worst = new Map<string, Alarm>();
  for (const alarm of alarms.value) {
    if (alarm.state === "shelved" || alarm.state === "normal") continue;
    const known = worst.get(alarm.asset);
    if (known === undefined || before(alarm, known) < 0) worst.set(alarm.asset, alarm);
  }
  return worst;
});

interface Refused {
  id: string;
  code: string;
  message: string;
}

export async function acknowledge(ids: readonly string[], comment: string): Promise<void> {
  try {
    if (ids.length === 1) {
      await send("POST", `alarms/${encodeURIComponent(ids[0] as string)}/acknowledge`, { comment });
      return;
    }
    const { refused = [] } = await send<{ refused?: Refused[] }>("POST", "alarms/acknowledge", { ids, comment });
    const [first] = refused;
    if (first) throw new Problem(409, first.code, `${refused.length} were refused: ${first.message}`, "");
  } finally {
    refreshAlarms();
  }
}

export async function shelve(id: string, reason: string, seconds: number): Promise<void> {
  await send("POST", `alarms/${encodeURIComponent(id)}/shelve`, { reason, seconds });
  refreshAlarms();
}
