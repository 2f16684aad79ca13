/** The shapes that cross the HTTP face (`/api/v1`). Times are ISO 8601 UTC text unless said otherwise. */

export type Role = "viewer" | "operator" | "engineer";

export interface Session {
  user: string | null;
  role: Role;
  csrf: string | null;
}

export interface Health {
  status: "ok" | "degraded" | "down";
  plant: string;
  title: string;
  clock: "wall" | "data";
  timezone: string;
  plant_time: string | null;
  version: string;
  link: { up: boolean; age_s: number };
  behind_s: number;
  problems: { code: string; message: string; remedy: string }[];
  writes: boolean;
}

export interface TreeNode {
  path: string;
  name: string;
  title?: string;
  kind: string;
  /** How many stand directly below it. */
  count: number;
  /** How many assets stand at and below it, at any depth. */
  assets: number;
}

/** A node with what was asked for of what is below it. */
export interface Piece extends TreeNode {
  children: Piece[];
  next: number | null;
}

/** An asset in a list. */
export interface Brief {
  path: string;
  name: string;
  title: string;
  type: string;
  parent: string;
}

export interface AssetPage {
  items: Brief[];
  count: number;
  next: number | null;
}

export interface AlarmLimits {
  high?: number | null;
  high_high?: number | null;
  low?: number | null;
  low_low?: number | null;
}

export interface SignalInfo {
  path: string;
  name: string;
  unit: string;
  kind: "analog" | "total" | "state";
  states?: string[] | null;
  range?: [number | null, number | null] | null;
  normal?: [number | null, number | null] | null;
  interval_s?: number | null;
  stale_after_s?: number | null;
  description?: string | null;
  /** What it foretells the life of, as remaining life names it. */
  prognosis?: string | null;
  alarm?: AlarmLimits | null;
}

export interface CommandInfo {
  name: string;
  unit: string;
  low: number | null;
  high: number | null;
  max_rate_per_s: number | null;
  approval: Role | null;
  sets: string | null;
  read_back: string | null;
  tolerance: number | null;
  timeout_s: number | null;
  rests_on: string[];
  wired: boolean;
  description?: string | null;
}

export interface Relation {
  from: string;
  kind: string;
  to: string;
}

export interface Asset {
  path: string;
  name: string;
  title?: string | null;
  type: string;
  at?: string;
  parent?: string | null;
  description?: string | null;
  parameters?: Record<string, { value: number | string | null; unit: string }>;
  relations: Relation[];
  signals: SignalInfo[];
  commands: CommandInfo[];
}

export interface History {
  signal: string;
  unit: string;
  mode: "raw" | "decimated" | "aggregated";
  /** Seconds since 1970 (UTC). */
  time: number[];
  value: (number | null)[];
  status: number[];
  /** Standard uncertainty of each value; left out where none is known. */
  sigma?: (number | null)[];
  /** Spans in which readings may be missing, because files were damaged. */
  missing?: { start: string; end: string; rows: number; why: string }[];
}

export type AlarmState = "normal" | "unacknowledged" | "acknowledged" | "returned_unacknowledged" | "shelved";

export interface Alarm {
  id: string;
  signal: string;
  asset: string;
  level: "high" | "high_high" | "low" | "low_low" | "deviation";
  priority: 1 | 2 | 3;
  state: AlarmState;
  active: boolean;
  /** Null of a deviation: no limit raised it. */
  limit: number | null;
  unit: string;
  value: number | null;
  raised: string | null;
  since: string | null;
  cleared: string | null;
  acknowledged_by?: string | null;
  comment?: string | null;
  first_out: boolean;
  chattering?: boolean;
  standing?: boolean;
  cause?: string | null;
  consequence?: string | null;
  response?: string | null;
  respond_within_s?: number | null;
  shelved_until?: string | null;
}

export interface AlarmCounts {
  unacknowledged: number;
  acknowledged: number;
  returned: number;
  shelved: number;
  by_priority: Record<string, number>;
}

export interface AlarmList {
  items: Alarm[];
  counts: AlarmCounts;
  flood: boolean;
}

export interface CommandStep {
  state: string;
  at: string;
  by?: string | null;
  note?: string | null;
}

export type CommandState =
  | "refused"
  | "awaiting_approval"
  | "approved"
  | "sent"
  | "confirmed"
  | "failed"
  | "rejected"
  | "cancelled";

export interface Command {
  id: string;
  asset: string;
  command: string;
  value: number;
  unit: string;
  state: CommandState;
  requested_by: string;
  requested: string;
  reason: string;
  approval: Role | null;
  approved_by?: string | null;
  refusal?: string | null;
  sent?: string | null;
  read_back?: number | null;
  confirmed?: string | null;
  failure?: string | null;
  steps: CommandStep[];
}

export interface SignalQuality {
  signal: string;
  unit: string;
  rate_per_s: number | null;
  received: number;
  stored: number;
  last_time: string | null;
  gaps: number;
  jitter: number;
  jitter_ms?: number | null;
  jitter_max_ms?: number | null;
  late: number;
  /** Null in a past span: a duplicate is not kept. */
  duplicate: number | null;
  correction: number;
  rejected: Record<string, number>;
  good_fraction: number | null;
}

export interface ConnectionQuality {
  name: string;
  protocol: string;
  state: string;
  messages: number;
  values: number;
  refused: Record<string, number>;
  examples: { reason: string; topic: string; text: string }[];
}

export interface Fact {
  seq: number;
  id: string;
  kind: string;
  at: string;
  recorded: string;
  actor: string;
  subject: string;
  body: Record<string, unknown>;
  reason?: string;
  cause?: string;
  /** How it was before and after, in words, where the fact tells. */
  before?: string | number | boolean | null;
  after?: string | number | boolean | null;
}

export interface StoodProperty {
  value: number | null;
  text: string | null;
  unit: string;
  quality: string;
  time: string | null;
  age_s: number | null;
}

/** An asset as it stood. */
export interface State {
  asset: string;
  at: string;
  properties: Record<string, StoodProperty>;
}
