/** Where a value stands between two ends, and whether it is beyond a limit. */

import type { AlarmLimits } from "../api/types";

/** Share of a signal's range that a drawing shows at least, so that mere noise does not look like movement. */
const LEAST_SHARE = 0.02;

export function leastSpan(range: readonly [number | null, number | null] | null | undefined): number {
  const [low, high] = [range?.[0] ?? null, range?.[1] ?? null];
  return low === null || high === null ? 0 : (high - low) * LEAST_SHARE;
}

/** Place of a value in a range, in per cent, never outside. */
export function placeOf(value: number, low: number, high: number): number {
  if (!(high > low)) return 0;
  return Math.min(100, Math.max(0, ((value - low) / (high - low)) * 100));
}

export function beyond(value: number, alarm: AlarmLimits | null | undefined): boolean {
  if (!alarm) return false;
  const [high, low] = [alarm.high ?? alarm.high_high, alarm.low ?? alarm.low_low];
  return (high != null && value >= high) || (low != null && value <= low);
}
