/** What stands where a part of the page has failed: words and a way back, never what it last showed. */

import type { ComponentChildren } from "preact";
import { useErrorBoundary } from "preact/hooks";

import { words } from "../api/http";

export function Failing({ children }: { children: ComponentChildren }) {
  const [error, again] = useErrorBoundary((cause) => console.error(cause));
  if (!error) return <>{children}</>;
  return (
    <div role="alert" class="notes">
      <p>
        <b>This view has failed:</b> {words(error)}. Nothing of it is shown, since it might not be true.
      </p>
      <button type="button" onClick={again}>
        Show it again
      </button>
    </div>
  );
}
