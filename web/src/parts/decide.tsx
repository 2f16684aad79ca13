/** The buttons to approve, reject or cancel a command, each with a reason and a second look. */

import { useSignal } from "@preact/signals";

import type { Command } from "../api/types";
import { type Decision, decide, decisionsFor } from "../commands";
import { lastPart, nameText, numberText, unitText } from "../format";
import { linked } from "../live/live";
import { FormDialog, said } from "./form-dialog";

const TITLE: Record<Decision, string> = { approve: "Approve", reject: "Reject", cancel: "Cancel command" };

interface AskProps {
  command: Command;
  decision: Decision;
  onDone: () => void;
}

function Ask({ command, decision, onDone }: AskProps) {
  return (
    <FormDialog
      title={`${TITLE[decision]}?`}
      yes={TITLE[decision]}
      act={(form) => decide(command.id, decision, said(form, "reason"))}
      onDone={onDone}
    >
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
        <input name="reason" required={decision === "reject"} />
      </label>
    </FormDialog>
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
