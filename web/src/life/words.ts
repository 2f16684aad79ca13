/** Lengths of life and what a change does to them, in words. */

import { DAY_S, type LifeDifference, type LifeFuture } from "./types";

/** Says a length of life: days, and years where there are many. */
export function daysText(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return "beyond the horizon";
  const days = seconds / DAY_S;
  if (days >= 3 * 365.25) return `${(days / 365.25).toFixed(1)} a`;
  return `${days.toFixed(days < 10 ? 1 : 0)} d`;
}

export function percent(share: number | undefined): string {
  if (share === undefined) return "–";
  if (share > 0 && share < 0.005) return "< 1 %";
  return `${Math.round(100 * share)} %`;
}

/** Says how long something lives, or why that is not known. */
export function lifeText(future: LifeFuture): string {
  const q = future.event;
  if (!Object.keys(q).length) return `No estimate: ${future.reason}.`;
  if (future.reason) return `No estimate: ${future.reason}. Not before ${daysText(q.q05)} (5 %).`;
  return `${daysText(q.q50)}, 90 %: ${daysText(q.q05)} to ${daysText(q.q95)}`;
}

/** Says what a change does. */
export function differenceText(d: LifeDifference): string {
  const how = d.earlier > 0.5 ? "earlier" : d.earlier < 0.5 ? "later" : "neither earlier nor later";
  const sure = d.clear ? `clearly ${how}` : `not clearly ${how}`;
  if (d.median_s === null) return `${sure} (${percent(d.earlier)} of the members say earlier)`;
  const sign = (s: number | null): string => `${(s ?? 0) < 0 ? "−" : "+"}${daysText(Math.abs(s ?? 0))}`;
  return `${sign(d.median_s)}, 90 %: ${sign(d.low_s)} to ${sign(d.high_s)}: ${sure}`;
}
