/** Binds a component's own nodes to a signal's live value, past the virtual DOM. */

import { useEffect, useRef } from "preact/hooks";

import { cells } from "../live/live";
import type { Listener } from "../live/cells";

/** Calls `listener` with the cell now and at every change while the component is there. */
export function useLive(path: string | null | undefined, listener: Listener): void {
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(() => (path ? cells.watch(path, (cell) => latest.current(cell)) : undefined), [path]);
}
