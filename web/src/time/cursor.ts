/**
 * The one time cursor of the page, in the address: live, held at a time (`?at=`), or a fixed time behind the plant
 * and moving on with it (`?behind=`). It stands before the hash, so every link of the page keeps it.
 */

import { computed, signal } from "@preact/signals";

export type Cursor =
  | { readonly mode: "live" }
  | { readonly mode: "held"; /** Plant time [s since 1970, UTC]. */ readonly at: number }
  | { readonly mode: "moving"; /** How far behind the plant's time [s]. */ readonly behind: number };

export const LIVE: Cursor = { mode: "live" };

/** Reads a cursor from the search part of an address; what cannot be read is live. */
export function parseCursor(search: string): Cursor {
  const query = new URLSearchParams(search);
  const at = Date.parse(query.get("at") ?? "");
  if (Number.isFinite(at)) return { mode: "held", at: at / 1000 };
  const behind = Number(query.get("behind"));
  return behind > 0 ? { mode: "moving", behind } : LIVE;
}

/** Writes a cursor as the search part of an address; what else stands there is kept. */
export function searchOf(cursor: Cursor, before = ""): string {
  const query = new URLSearchParams(before);
  query.delete("at");
  query.delete("behind");
  if (cursor.mode === "held") query.set("at", new Date(Math.round(cursor.at * 1000)).toISOString());
  if (cursor.mode === "moving") query.set("behind", String(Math.round(cursor.behind)));
  const text = query.toString().replaceAll("%3A", ":");
  return text ? `?${text}` : "";
}

export const cursor = signal<Cursor>(parseCursor(location.search));
/** Whether the page looks at the past: then nothing on it is live, and nothing can be commanded. */
export const inPast = computed(() => cursor.value.mode !== "live");

addEventListener("popstate", () => {
  cursor.value = parseCursor(location.search);
});

function isTime(cursor: Cursor): boolean {
  return cursor.mode === "live" || Number.isFinite(cursor.mode === "held" ? cursor.at : cursor.behind);
}

/** Takes every view to a time, and keeps the way back; a time that is not known yet leaves them where they are. */
export function moveTo(wanted: Cursor): void {
  if (!isTime(wanted)) return;
  const next: Cursor = wanted.mode === "held" ? { mode: "held", at: Math.round(wanted.at * 1000) / 1000 } : wanted;
  const search = searchOf(next, location.search);
  if (search !== location.search) history.pushState(null, "", `${location.pathname}${search}${location.hash}`);
  cursor.value = next;
}
