/** Acknowledging and shelving, each with words that stay in the record. */

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";

import { acknowledge, shelve } from "../alarms";
import { words } from "../api/http";
import type { Alarm } from "../api/types";
import { lastPart, nameText } from "../format";
import { linked } from "../live/live";
import { Dialog } from "../parts/dialog";

/** Runs what a form asks for; closes when it was done, shows the refusal when not. */
function useDo(onDone: () => void) {
  const refused = useSignal<string | null>(null);
  const run = (event: Event, act: () => Promise<void>): void => {
    event.preventDefault();
    act().then(onDone, (error: unknown) => {
      refused.value = words(error);
    });
  };
  return { refused: refused.value, run };
}

function Buttons({ yes, refused, onNo }: { yes: string; refused: string | null; onNo: () => void }) {
  return (
    <>
      {refused && (
        <p class="refusal" role="alert">
          {refused}
        </p>
      )}
      <div class="buttons">
        <button type="button" onClick={onNo}>
          Back
        </button>
        <button type="submit" class="main" disabled={!linked.value}>
          {yes}
        </button>
      </div>
    </>
  );
}

function nameOf(alarm: Alarm): string {
  return `${lastPart(alarm.asset)} ${nameText(lastPart(alarm.signal))} ${nameText(alarm.level)}`;
}

export function AcknowledgeDialog({ alarms, onDone }: { alarms: readonly Alarm[]; onDone: () => void }) {
  const comment = useRef<HTMLInputElement>(null);
  const { refused, run } = useDo(onDone);
  const ids = alarms.map((alarm) => alarm.id);
  return (
    <Dialog title={alarms.length === 1 ? "Acknowledge" : `Acknowledge ${alarms.length} alarms`} onClose={onDone}>
      <form onSubmit={(event) => run(event, () => acknowledge(ids, comment.current?.value ?? ""))}>
        <ul class="named">
          {alarms.map((alarm) => (
            <li key={alarm.id}>{nameOf(alarm)}</li>
          ))}
        </ul>
        <label>
          Comment
          <input ref={comment} name="comment" />
        </label>
        <Buttons yes="Acknowledge" refused={refused} onNo={onDone} />
      </form>
    </Dialog>
  );
}

const TIMES: readonly (readonly [string, number])[] = [
  ["15 minutes", 900],
  ["1 hour", 3600],
  ["8 hours", 28800],
  ["1 day", 86400],
];

export function ShelveDialog({ alarm, onDone }: { alarm: Alarm; onDone: () => void }) {
  const reason = useRef<HTMLInputElement>(null);
  const time = useRef<HTMLSelectElement>(null);
  const { refused, run } = useDo(onDone);
  const act = () => shelve(alarm.id, reason.current?.value ?? "", Number(time.current?.value));
  return (
    <Dialog title={`Shelve ${nameOf(alarm)}`} onClose={onDone}>
      <form onSubmit={(event) => run(event, act)}>
        <label>
          For
          <select ref={time} name="seconds">
            {TIMES.map(([title, seconds]) => (
              <option key={seconds} value={seconds}>
                {title}
              </option>
            ))}
          </select>
        </label>
        <label>
          Reason
          <input ref={reason} name="reason" required />
        </label>
        <p class="quiet">It comes back by itself when the time is over.</p>
        <Buttons yes="Shelve" refused={refused} onNo={onDone} />
      </form>
    </Dialog>
  );
}
