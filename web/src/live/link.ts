/** Whether the twin is heard: a pure judgement over the times of what came last, so that it can be tested. */

/** Silence after which values may no longer look live [ms]; the twin sends something at least once a second. */
export const SILENCE_MS = 1600;

export interface Heard {
  /** Whether the socket is open. */
  open: boolean;
  /** When the last message came, and when the page began to listen [ms of one clock]. */
  lastMessage: number | null;
  started: number;
  /** What `serve` says about the twin process behind it. */
  twin: { up: boolean; ageS: number; at: number };
}

export interface Link {
  state: "connecting" | "up" | "lost";
  /** Which part is not heard. */
  what: "page" | "twin" | null;
  /** Seconds since it was heard last. */
  ageS: number;
}

/** Judges the link at time `now` [ms]. */
export function judge(heard: Heard, now: number): Link {
  const since = (now - (heard.lastMessage ?? heard.started)) / 1000;
  if (heard.lastMessage === null) {
    const state = since * 1000 > SILENCE_MS ? "lost" : "connecting";
    return { state, what: "page", ageS: since };
  }
  if (!heard.open || since * 1000 > SILENCE_MS) return { state: "lost", what: "page", ageS: since };
  if (!heard.twin.up) return { state: "lost", what: "twin", ageS: heard.twin.ageS + (now - heard.twin.at) / 1000 };
  return { state: "up", what: null, ageS: 0 };
}

/** Milliseconds to wait before attempt number `attempt` (from 0) to connect again. */
export function backoff(attempt: number): number {
  return Math.min(2000, 200 * 2 ** attempt);
}
