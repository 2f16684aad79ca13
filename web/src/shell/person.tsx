/** Who is in front of the page: log in, log out. */

import { useSignal } from "@preact/signals";

import { FormDialog, said } from "../parts/form-dialog";
import { link } from "../live/live";
import { closed, logIn, logOut, session } from "../plant";

function LogIn({ onDone }: { onDone: () => void }) {
  return (
    <FormDialog
      title="Log in"
      yes="Log in"
      no="Cancel"
      unlinked
      act={(form) => logIn(said(form, "user"), said(form, "password"))}
      onDone={onDone}
    >
      <label>
        Name
        <input name="user" autocomplete="username" required />
      </label>
      <label>
        Password
        <input name="password" type="password" autocomplete="current-password" required />
      </label>
    </FormDialog>
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
