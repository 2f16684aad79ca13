/** Taking a fact back: nothing leaves the record, a compensating fact is added, with who and why. */

import type { Fact } from "../api/types";
import { revert } from "../facts";
import { FormDialog, said } from "../parts/form-dialog";
import { kindText } from "./kind-text";

export function RevertDialog({ fact, onDone }: { fact: Fact; onDone: () => void }) {
  return (
    <FormDialog
      title={`Take back fact ${fact.seq}`}
      yes="Take it back"
      act={(form) => revert(fact, said(form, "reason"))}
      onDone={onDone}
    >
      <p>
        {kindText(fact.kind)} by {fact.actor}: a fact is added that gives the state before; this one stays in the
        record.
      </p>
      <label>
        Reason
        <input name="reason" required />
      </label>
    </FormDialog>
  );
}
