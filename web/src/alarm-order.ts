/** Which alarms are listed, and in what order. */

import type { Alarm } from "./api/types";

/** Whether an alarm belongs on the list: it is active, or nobody has seen it yet, or it is shelved. */
export function listed(alarm: Alarm): boolean {
  return alarm.state !== "normal";
}

export function needsAcknowledging(alarm: Alarm): boolean {
  return alarm.state === "unacknowledged" || alarm.state === "returned_unacknowledged";
}

const WEIGHT: Record<Alarm["state"], number> = {
  unacknowledged: 0,
  returned_unacknowledged: 1,
  acknowledged: 2,
  shelved: 3,
  normal: 4,
};

/** Order of the list: what nobody has seen first, then priority, then the newest. */
export function before(a: Alarm, b: Alarm): number {
  return (
    WEIGHT[a.state] - WEIGHT[b.state] ||
    a.priority - b.priority ||
    (b.raised ?? "").localeCompare(a.raised ?? "") ||
    a.id.localeCompare(b.id)
  );
}
