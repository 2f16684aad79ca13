/** Who is in front of the page: log in, log out. */

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";

import { words } from "../api/http";
import { Dialog } from "../parts/dialog";
import { link } from "../live/live";
import { closed, logIn, logOut, session } from "../plant";

function LogIn({ onDone }: { onDone: () => void }) {
  const name = useRef<HTMLInputElement>(null);
  const password = useRef<HTMLInputElement>(null);
  const refused = useSignal<string | null>(null);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      await logIn(name.current?.value ?? "", password.current?.value ?? "");
      onDone();
    } catch (error) {
      refused.value = words(error);
    }
  };
  return (
    <Dialog title="Log in" onClose={onDone}>
      <form onSubmit={(event) => void submit(event)}>
        <label>
          Name
          <input ref={name} name="user" autocomplete="username" required />
        </label>
        <label>
          Password
          <input ref={password} name="password" type="password" autocomplete="current-password" required />
        </label>
        {refused.value && (
          <p class="refusal" role="alert">
            {refused.value}
          </p>
        )}
        <div class="buttons">
          <button type="button" onClick={onDone}>
            Cancel
          </button>
          <button type="submit" class="main">
            Log in
          </button>
        </div>
      </form>
    </Dialog>
  );
}

export function Person() {
  const open = useSignal(false);
  const { user, role } = session.value;
  if (user === null) {
    return (
      <>
        <button type="button" onClick={() => (open.value = true)}>
          Log in
        </button>
        {(open.value || closed.value) && <LogIn onDone={() => (open.value = false)} />}
      </>
    );
  }
  return (
    <span class="person">
      <span data-testid="person">
        <b>{user}</b> <small>{role}</small>
      </span>
      <button type="button" class="plain" onClick={() => void logOut()} disabled={link.value.state !== "up"}>
        Log out
      </button>
    </span>
  );
}
