/** The rows a plot draws: what history answered, then what came live since. */

import type { History } from "../api/types";
import type { Cell } from "../live/cells";
import { type Quality, qualityOfStatus } from "../live/quality";

export interface Rows {
  time: number[];
  /** What the line follows; null is a gap. A bad value is no part of the line. */
  line: (number | null)[];
  /** What was read, whatever it is worth. */
  value: (number | null)[];
  quality: Quality[];
}

export function empty(): Rows {
  return { time: [], line: [], value: [], quality: [] };
}

/** Appends one row; a row that is not younger than the last is not a step forward and left out. */
export function append(rows: Rows, time: number, value: number | null, quality: Quality): void {
  const last = rows.time[rows.time.length - 1];
  if (last !== undefined && time <= last) return;
  rows.time.push(time);
  rows.value.push(value);
  rows.line.push(quality === "bad" ? null : value);
  rows.quality.push(quality);
}

export function fromHistory(history: History): Rows {
  const rows = empty();
  history.time.forEach((time, i) => {
    append(rows, time, history.value[i] ?? null, qualityOfStatus(history.status[i] ?? 0));
  });
  return rows;
}

/**
 * Appends what a cell shows now, with a gap before it where nothing came for longer than `gapS`. A stale value is
 * not a reading, so it leaves no row.
 */
export function appendLive(rows: Rows, cell: Cell, gapS: number): boolean {
  if (!Number.isFinite(cell.time) || cell.quality === "stale" || cell.quality === "none") return false;
  const last = rows.time[rows.time.length - 1];
  if (last !== undefined && cell.time <= last) return false;
  if (last !== undefined && cell.time - last > gapS) append(rows, last + gapS / 2, null, "good");
  append(rows, cell.time, Number.isFinite(cell.value) ? cell.value : null, cell.quality);
  return true;
}

/** Drops rows before `start`, but keeps one, so that the line enters from the left. */
export function trim(rows: Rows, start: number): void {
  let n = 0;
  while (n + 1 < rows.time.length && (rows.time[n + 1] as number) < start) n++;
  if (n < 200) return;
  for (const column of [rows.time, rows.line, rows.value, rows.quality]) column.splice(0, n);
}

/** Lowest and highest of the lines with a little room, at least `least` apart; null when nothing is there. */
export function scaleOf(
  lines: readonly (readonly (number | null | undefined)[])[],
  least = 0,
): [number, number] | null {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const line of lines) {
    for (const value of line) {
      if (value === null || value === undefined) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (low > high) return null;
  const room = high > low ? (high - low) * 0.08 : Math.max(Math.abs(high) * 0.02, 0.5);
  const more = Math.max(0, least - (high - low + 2 * room)) / 2;
  return [low - room - more, high + room + more];
}
