/** The time that every view shows: the cursor's, or now. */

import { computed } from "@preact/signals";

import { plantTime } from "../live/live";
import { type Cursor, cursor, moveTo } from "./cursor";
import { isoOf } from "./zoned";

/** Plant time looked at [s], null while live. A moving cursor steps by whole seconds. */
export const pastTime = computed<number | null>(() => {
  const now = cursor.value;
  if (now.mode === "held") return now.at;
  if (now.mode === "live" || !Number.isFinite(plantTime.value)) return null;
  return Math.floor(plantTime.value - now.behind);
});

/** Plant time that views end with [s]; live it is the plant's own, NaN before the first frame. */
export const shownTime = computed<number>(() => pastTime.value ?? plantTime.value);

/** What requests say of the time: nothing while live. */
export function atQuery(): { at?: string } {
  const at = pastTime.peek();
  return at === null ? {} : { at: isoOf(at) };
}

/** Moves the cursor by some seconds; beyond now it is live. */
export function step(seconds: number): void {
  const now = plantTime.peek();
  const next: Cursor = { mode: "held", at: (pastTime.peek() ?? now) + seconds };
  moveTo(next.at >= now ? { mode: "live" } : next);
}

/** Lets a held cursor move on with the plant, or holds a moving one. */
export function holdOrMove(): void {
  const at = pastTime.peek();
  if (at === null) return;
  const held = cursor.peek().mode === "held";
  moveTo(held ? { mode: "moving", behind: Math.max(1, plantTime.peek() - at) } : { mode: "held", at });
}
