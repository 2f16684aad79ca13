/** Asks for something when the link is new or `again` is called, and soon after the twin could not answer; keeps the last answer meanwhile. */

import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { Problem, words } from "../api/http";
import { epoch } from "../live/live";

const SOON_MS = 3000;

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
    let soon: ReturnType<typeof setTimeout> | undefined;
    ask(abort.signal).then(
      (answer) => {
        if (abort.signal.aborted) return;
        data.value = answer;
        error.value = null;
      },
      (reason: unknown) => {
        if (abort.signal.aborted) return;
        error.value = words(reason);
        if (reason instanceof Problem && reason.passing) soon = setTimeout(() => (turn.value += 1), SOON_MS);
      },
    );
    return () => {
      clearTimeout(soon);
      abort.abort();
    };
  }, [...keys, epoch.value, turn.value]);
  return {
    data,
    error,
    again: () => {
      turn.value += 1;
    },
  };
}
