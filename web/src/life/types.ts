/** Remaining life as the API tells it: see `GET /api/v1/openapi.json`. */

export interface Wears {
  name: string;
  description: string;
  unit: string;
  threshold: number;
  law: string;
  /** Signals that drive it, with their units. */
  drives: Record<string, string>;
  /** Words for them. */
  words: Record<string, string>;
  /** Actions, and what each leaves of it. */
  maintenance: Record<string, number>;
  horizon_s: number;
  within_s: number;
}

export interface LifeFuture {
  name: string;
  /** Why there is no estimate; empty where there is one. */
  reason: string;
  /** Seconds from now, by quantile (`q05` …); null beyond the horizon. */
  event: Record<string, number | null>;
  risk: Record<string, number>;
  times_s: number[];
  /** By quantile, ascending; the middle one is the median. */
  fan: number[][];
}

export interface LifeDifference {
  name: string;
  median_s: number | null;
  low_s: number | null;
  high_s: number | null;
  ratio: number | null;
  earlier: number;
  clear: boolean;
}

export interface LifeResult {
  unit: string;
  threshold: number;
  at: string;
  law: string;
  level: { value: number; sd: number };
  readings: number;
  span_s: number;
  within_s: number;
  horizon_s: number;
  members: number;
  seed: number;
  averaging: { step_s: number; lost: number | null };
  versions: { gemel: string; plant: string; learner: string };
  past: { times_s: number[]; value: number[] };
  futures: LifeFuture[];
  differences: LifeDifference[];
}

export interface Prognosis {
  id: string;
  title: string;
  of: string;
  at: string;
  by: string;
  state: "queued" | "running" | "done" | "failed" | "cancelled";
  progress: number;
  seconds: number | null;
  problem: string;
  remedy: string;
  result: LifeResult | null;
}

export const DAY_S = 86_400;
