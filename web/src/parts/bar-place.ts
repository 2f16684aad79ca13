/** Where a value stands between two ends, and whether it is beyond a limit. */

import type { AlarmLimits } from "../api/types";

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
