/** How far a command has come: asked, approved, sent, read back; or where it ended instead. */

import type { Command } from "../api/types";
import { isoTime, nameText, numberText, unitText } from "../format";
import { zone } from "../plant";

const USUAL = ["requested", "approved", "sent", "confirmed"] as const;
const ENDED = ["refused", "failed", "rejected", "cancelled"];

function stagesOf(command: Command): string[] {
  const usual = USUAL.filter((stage) => stage !== "approved" || command.approval !== null);
  if (!ENDED.includes(command.state)) return [...usual];
  const reached = usual.filter((stage) => stage === "requested" || stepOf(command, stage));
  return [...reached, command.state];
}

function stepOf(command: Command, stage: string) {
  return command.steps.find((step) => step.state === stage);
}

function reachedAt(command: Command, stage: string): string | null {
  if (stage === "requested") return command.requested;
  return stepOf(command, stage)?.at ?? (stage === command.state ? (command.confirmed ?? command.sent ?? null) : null);
}

/** What the stage says beside its name. */
function noteOf(command: Command, stage: string): string {
  if (stage === "requested") return `by ${command.requested_by}${command.reason ? `: ${command.reason}` : ""}`;
  const step = stepOf(command, stage);
  const by = step?.by ?? (stage === "approved" ? command.approved_by : null);
  const note =
    stage === "refused" ? command.refusal : stage === "failed" ? command.failure : (step?.note ?? null);
  const read =
    stage === "confirmed" && command.read_back != null
      ? `read back ${numberText(command.read_back, 2)} ${unitText(command.unit)}`
      : null;
  return [by ? `by ${by}` : null, note ?? read].filter(Boolean).join(": ");
}

export function CommandSteps({ command }: { command: Command }) {
  const waiting = stagesOf(command).find((stage) => reachedAt(command, stage) === null);
  return (
    <ol class="steps" data-state={command.state} aria-label={`State: ${nameText(command.state)}`}>
      {stagesOf(command).map((stage) => {
        const at = reachedAt(command, stage);
        const now = stage === waiting;
        return (
          <li key={stage} data-step={stage} data-reached={String(at !== null)} aria-current={now ? "step" : undefined}>
            <b>{now && stage === "approved" ? "awaiting approval" : nameText(stage)}</b>
            {at !== null && <time>{isoTime(at, zone()).slice(11)}</time>}
            <small>{at !== null ? noteOf(command, stage) : ""}</small>
          </li>
        );
      })}
    </ol>
  );
}
