/** A dialog that asks for some words and then acts: closed when it was done, open with the refusal when not. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";

import { words } from "../api/http";
import { linked } from "../live/live";
import { Dialog } from "./dialog";

interface Props {
  title: string;
  /** What the button says that acts. */
  yes: string;
  /** What the button says that leaves. */
  no?: string;
  /** Whether it may act while the twin is not heard. */
  unlinked?: boolean;
  act: (said: FormData) => Promise<unknown>;
  onDone: () => void;
  children: ComponentChildren;
}

export function FormDialog({ title, yes, no = "Back", unlinked = false, act, onDone, children }: Props) {
  const refused = useSignal<string | null>(null);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    act(new FormData(event.currentTarget as HTMLFormElement)).then(onDone, (error: unknown) => {
      refused.value = words(error);
    });
  };
  return (
    <Dialog title={title} onClose={onDone}>
      <form onSubmit={submit}>
        {children}
        {refused.value && (
          <p class="refusal" role="alert">
            {refused.value}
          </p>
        )}
        <div class="buttons">
          <button type="button" onClick={onDone}>
            {no}
          </button>
          <button type="submit" class="main" disabled={!unlinked && !linked.value}>
            {yes}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** Gives what was written in a field of a form. */
export function said(form: FormData, name: string): string {
  return String(form.get(name) ?? "");
}
