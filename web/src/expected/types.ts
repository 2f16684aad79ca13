/** What is read against what a dynamic model expects of it, as the API tells it: see `GET /api/v1/openapi.json`. */

export interface Suspect {
  kind: "sensor" | "process" | "model";
  name: string;
  probability: number;
}

/** A residual that is out of its band. */
export interface Out {
  since: string;
  read: number | null;
  expected: number | null;
  /** Most probable first. */
  suspects: Suspect[];
  /** In which manner it is wrong: off, drifting, noisy, stuck, slow, gain, span, influenced (by an input), erratic, changed, unsteady, together (with others), bent or loose. */
  how: string;
  substituted: boolean;
  /** Signals of the same machine that read nothing then. */
  missing: string[];
}

/** Why something else is believed than a sensor reads. */
export interface Instead {
  why: "aside" | "blamed" | "missing";
  since: string;
}

export interface Residual {
  signal: string;
  unit: string;
  read: number | null;
  expected: number | null;
  sigma: number | null;
  /** The dynamic model that expects, `module:name`. */
  by: string;
  /** Version of its parameters in force, 0: the plant file's; null where that is not known just now. */
  parameters: number | null;
  /** `known_now` below a tenth: asked outside of what it was trained on. */
  hybrid: { physics_share: number | null; known_now?: number | null } | null;
  out: Out | null;
  /** null: the sensor is listened to. */
  instead: Instead | null;
}
