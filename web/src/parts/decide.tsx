/** The buttons to approve, reject or cancel a command, each with a reason and a second look. */

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";

import { words } from "../api/http";
import type { Command } from "../api/types";
import { type Decision, decide, decisionsFor } from "../commands";
import { lastPart, nameText, numberText, unitText } from "../format";
import { linked } from "../live/live";
import { Dialog } from "./dialog";

const TITLE: Record<Decision, string> = { approve: "Approve", reject: "Reject", cancel: "Cancel command" };

interface AskProps {
  command: Command;
  decision: Decision;
  onDone: () => void;
}

function Ask({ command, decision, onDone }: AskProps) {
  const reason = useRef<HTMLInputElement>(null);
  const refused = useSignal<string | null>(null);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      await decide(command.id, decision, reason.current?.value ?? "");
      onDone();
    } catch (error) {
      refused.value = words(error);
    }
  };
  return (
    <Dialog title={`${TITLE[decision]}?`} onClose={onDone}>
      <form onSubmit={(event) => void submit(event)}>
        <p>
          <b>{lastPart(command.asset)}</b> {nameText(command.command)} to{" "}
          <b>
            {numberText(command.value, 2)} {unitText(command.unit)}
          </b>
          , asked for by {command.requested_by}
          {command.reason ? `: “${command.reason}”` : "."}
        </p>
        <label>
          Reason
          <input ref={reason} name="reason" required={decision === "reject"} />
        </label>
        {refused.value && (
          <p class="refusal" role="alert">
            {refused.value}
          </p>
        )}
        <div class="buttons">
          <button type="button" onClick={onDone}>
            Back
          </button>
          <button type="submit" class="main" disabled={!linked.value}>
            {TITLE[decision]}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

export function Decide({ command }: { command: Command }) {
  const asked = useSignal<Decision | null>(null);
  const decisions = decisionsFor(command);
  if (decisions.length === 0 && asked.value === null) {
    const waiting = command.state === "awaiting_approval";
    return waiting ? <small>waits for another person: {command.approval}</small> : null;
  }
  return (
    <span class="decide">
      {decisions.map((decision) => (
        <button type="button" key={decision} disabled={!linked.value} onClick={() => (asked.value = decision)}>
          {TITLE[decision]}
        </button>
      ))}
      {asked.value && <Ask command={command} decision={asked.value} onDone={() => (asked.value = null)} />}
    </span>
  );
}
