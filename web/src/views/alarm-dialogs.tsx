/** Acknowledging and shelving, each with words that stay in the record. */

import { acknowledge, shelve } from "../alarms";
import type { Alarm } from "../api/types";
import { lastPart, nameText } from "../format";
import { FormDialog, said } from "../parts/form-dialog";

function nameOf(alarm: Alarm): string {
  return `${lastPart(alarm.asset)} ${nameText(lastPart(alarm.signal))} ${nameText(alarm.level)}`;
}

export function AcknowledgeDialog({ alarms, onDone }: { alarms: readonly Alarm[]; onDone: () => void }) {
  const ids = alarms.map((alarm) => alarm.id);
  return (
    <FormDialog
      title={alarms.length === 1 ? "Acknowledge" : `Acknowledge ${alarms.length} alarms`}
      yes="Acknowledge"
      act={(form) => acknowledge(ids, said(form, "comment"))}
      onDone={onDone}
    >
      <ul class="named">
        {alarms.map((alarm) => (
          <li key={alarm.id}>{nameOf(alarm)}</li>
        ))}
      </ul>
      <label>
        Comment
        <input name="comment" />
      </label>
    </FormDialog>
  );
}

const TIMES: readonly (readonly [string, number])[] = [
  ["15 minutes", 900],
  ["1 hour", 3600],
  ["8 hours", 28800],
  ["1 day", 86400],
];

export function ShelveDialog({ alarm, onDone }: { alarm: Alarm; onDone: () => void }) {
  return (
    <FormDialog
      title={`Shelve ${nameOf(alarm)}`}
      yes="Shelve"
      act={(form) => shelve(alarm.id, said(form, "reason"), Number(said(form, "seconds")))}
      onDone={onDone}
    >
      <label>
        For
        <select name="seconds">
          {TIMES.map(([title, seconds]) => (
            <option key={seconds} value={seconds}>
              {title}
            </option>
          ))}
        </select>
      </label>
      <label>
        Reason
        <input name="reason" required />
      </label>
      <p class="quiet">It comes back by itself when the time is over.</p>
    </FormDialog>
  );
}
