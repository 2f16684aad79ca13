/** Asks for something when the link is new or `again` changes; keeps the last answer while asking. */

import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { words } from "../api/http";
import { epoch } from "../live/live";

export interface Fetched<T> {
  data: Signal<T | null>;
  error: Signal<string | null>;
  /** Asks once more. */
  again(): void;
}

export function useFetched<T>(ask: (signal: AbortSignal) => Promise<T>, keys: readonly unknown[]): Fetched<T> {
  const data = useSignal<T | null>(null);
  const error = useSignal<string | null>(null);
  const turn = useSignal(0);
  useEffect(() => {
    const abort = new AbortController();
    ask(abort.signal).then(
      (answer) => {
        if (abort.signal.aborted) return;
        data.value = answer;
        error.value = null;
      },
      (reason: unknown) => {
        if (!abort.signal.aborted) error.value = words(reason);
      },
    );
    return () => abort.abort();
  }, [...keys, epoch.value, turn.value]);
  return {
    data,
    error,
    again: () => {
      turn.value += 1;
    },
  };
}
