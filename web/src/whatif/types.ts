/** What-ifs as the API tells them: see `GET /api/v1/openapi.json`. */

export interface Quantity {
  /** The model's, SI; so are `value`, `low` and `high`. */
  unit: string;
  value: number;
  source: "signal" | "plant file" | "model";
  low: number | null;
  high: number | null;
  description: string;
  /** What the plant shows it in: SI = value * scale + offset. */
  shown_unit: string;
  scale: number;
  offset: number;
}

export interface Beginning {
  asset: string;
  at: string;
  model: string;
  quantities: Record<"inputs" | "states" | "parameters" | "outputs", Record<string, Quantity>>;
  calibrated: string[];
  kpis: Offered[];
}

/** A figure that can be asked for by name. */
export interface Offered {
  name: string;
  /** What it was declared as; violations are two figures of one. */
  kpi: string;
  unit: string;
  /** Whether it is told where nothing is asked for. */
  default: boolean;
  description: string;
}

export interface Figure {
  mean: number | null;
  quantiles: (number | null)[];
  never: number;
}

export interface Difference {
  mean: number | null;
  quantiles: (number | null)[];
  /** In which the mean lies with 95 %. */
  interval?: [number | null, number | null];
  p_value?: number | null;
  more: number;
  clear: boolean;
  /** Shares of the members in which an event comes only with the change, or only without it: there is no mean then. */
  only_scenario?: number;
  only_baseline?: number;
}

export interface Future {
  name: string;
  failed: number;
  /** Members at whose end the algebraic loops of a system are not solved. */
  unsolved?: number;
  /** By watched quantity, quantile, instant. */
  bands: (number | null)[][][];
  figures: Record<string, Figure>;
  differences: Record<string, Difference>;
  sensitivity: Record<string, { coefficients: Record<string, number>; explained: number }>;
}

/** How a horizon of weeks and more was solved. */
export interface Leaps {
  period_s: number;
  solved_s: number;
  longest_s: number;
  moved: string[];
  /** By figure, in its unit; null: without bound. */
  errors: Record<string, number | null>;
  bands: Record<string, number | null>;
  /** Why every step was taken, where that is so. */
  reason: string;
}

/** What was learned of an output, and how much of each future it is. */
export interface Hybrid {
  output: string;
  version: string;
  used: boolean;
  futures: Record<string, { physics: number; correction: number; physics_share: number; known: number; least_known: number; outside: boolean }>;
}

export interface Result {
  leaps?: Leaps | null;
  /** What was taken as uncertain, and from where one knows it; or that nothing was. */
  words?: string[];
  hybrids?: Hybrid[];
  seed: number;
  members: number;
  engine: string;
  step_s: number;
  converged: boolean;
  quantiles: number[];
  times_s: number[];
  watch: { name: string; unit: string }[];
  kpis: { name: string; unit: string; better: string; statistic?: string }[];
  futures: Future[];
}

export interface Question {
  kpis: { name: string; statistic: string; of: string; unit?: string; factor?: number }[];
}

export interface WhatIf {
  id: string;
  title: string;
  asset: string;
  by: string;
  made: string;
  at: string;
  state: "queued" | "running" | "done" | "failed" | "cancelled";
  progress: number;
  seconds: number | null;
  problem: string;
  remedy: string;
  question: Question;
  result: Result | null;
}

export const ended = (job: WhatIf): boolean => job.state !== "queued" && job.state !== "running";
