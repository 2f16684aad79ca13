/** Taking a fact back: nothing leaves the record, a compensating fact is added, with who and why. */

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";

import { words } from "../api/http";
import type { Fact } from "../api/types";
import { revert } from "../facts";
import { linked } from "../live/live";
import { Dialog } from "../parts/dialog";
import { kindText } from "./kind-text";

export function RevertDialog({ fact, onDone }: { fact: Fact; onDone: () => void }) {
  const reason = useRef<HTMLInputElement>(null);
  const refused = useSignal<string | null>(null);
  const act = (event: Event): void => {
    event.preventDefault();
    revert(fact, reason.current?.value ?? "").then(onDone, (error: unknown) => {
      refused.value = words(error);
    });
  };
  return (
    <Dialog title={`Take back fact ${fact.seq}`} onClose={onDone}>
      <form onSubmit={act}>
        <p>
          {kindText(fact.kind)} by {fact.actor}: a fact is added that gives the state before; this one stays in the
          record.
        </p>
        <label>
          Reason
          <input ref={reason} name="reason" required />
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
            Take it back
          </button>
        </div>
      </form>
    </Dialog>
  );
}
