/** What the comparison of two times says of one property: a shape and words, so that no colour is needed. */

import type { Fact, SignalInfo } from "../api/types";
import { decimalsFor } from "../format";

export interface Standing {
  value: number | null;
  text: string | null;
  quality: string;
}

export interface Compared {
  property: string;
  before: Standing;
  after: Standing;
  delta: number | null;
  changed: string[];
}

export interface Difference {
  asset: string;
  from: string;
  to: string;
  properties: Compared[];
  alarms: { id: string; before: string; after: string }[];
  facts: Fact[];
  more_facts: boolean;
}

export interface Mark {
  shape: string;
  words: string;
  changed: boolean;
}

/** Says what differs; a difference too small to be seen in the shown decimals is none. */
export function markOf({ before, after, delta, changed }: Compared, signal: Pick<SignalInfo, "kind" | "range">): Mark {
  const said: string[] = [];
  let shape = "=";
  if (signal.kind === "state" ? changed.includes("value") : visible(before, after, decimalsFor(signal.range))) {
    shape = signal.kind === "state" || delta === null ? "≠" : delta > 0 ? "▲" : "▼";
    said.push(signal.kind === "state" ? "state" : delta !== null && delta > 0 ? "higher" : "lower");
  } else if (delta === null && changed.includes("value")) {
    shape = "≠";
    said.push("value");
  }
  if (before.quality !== after.quality) {
    if (shape === "=") shape = "≠";
    said.push(`${before.quality} → ${after.quality}`);
  }
  return { shape, words: said.join(", ") || "same", changed: said.length > 0 };
}

function visible({ value: one }: Standing, { value: other }: Standing, decimals: number): boolean {
  return one !== null && other !== null && one.toFixed(decimals) !== other.toFixed(decimals);
}
