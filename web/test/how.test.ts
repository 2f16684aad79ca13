/** A long horizon says what was solved of it, and a hybrid how much of it is physics. */

import { describe, expect, it } from "vitest";

import { howFound, unsolved } from "../src/whatif/how";
import type { Future, Result } from "../src/whatif/types";

const result = (over: Partial<Result>): Result => ({
  seed: 1, members: 2, engine: "", step_s: 10, converged: true, quantiles: [], times_s: [], watch: [], futures: [],
  kpis: [{ name: "energy", unit: "kWh", better: "less" }, { name: "late", unit: "s", better: "" }], ...over,
});
const leaps = { period_s: 86_400, solved_s: 864_000, longest_s: 3_888_000, moved: ["wear"], errors: { energy: 0.0123, late: null, "mean of x": 1 }, bands: {}, reason: "" };

describe("how an answer was found", () => {
  it("is told of a year, with its errors in the figures' units", () => {
    expect(howFound(result({ leaps }))).toEqual([
      "10 days were solved step by step, the others leapt over by their mean, up to 45 days at once; good to energy 0.012 kWh, late beyond all bounds s.",
    ]);
    expect(howFound(result({ leaps: { ...leaps, reason: "the model depends on the time itself" } }))).toEqual([
      "Each step was taken: the model depends on the time itself.",
    ]);
  });

  it("is nothing to speak of for a day of physics", () => {
    expect(howFound(result({ leaps: null, hybrids: [] }))).toEqual([]);
    expect(howFound(result({}))).toEqual([]);
  });

  it("says what is uncertain, or that nothing is", () => {
    expect(howFound(result({ words: ["nothing is taken as uncertain: the bands have no width"], leaps: null }))).toEqual([
      "Nothing is taken as uncertain: the bands have no width.",
    ]);
  });

  it("names what is learned, and where it was asked outside of what it knows", () => {
    const future = { physics: 1, correction: 0.05, physics_share: 0.95, known: 0.9, least_known: 0.8, outside: false };
    const hybrid = { output: "flow", version: "a", used: true, futures: { baseline: future, more: { ...future, physics_share: 0.9, outside: true } } };
    expect(howFound(result({ hybrids: [hybrid] }))).toEqual([
      "flow is 90 % physics, the rest learned. Somewhere it was asked outside of what it was trained on: there it is physics.",
    ]);
    expect(howFound(result({ hybrids: [{ ...hybrid, used: false, futures: {} }] }))[0]).toContain("does not fit its model");
  });

  it("warns of loops that are not solved, in whichever future they are", () => {
    const future = (left?: number): Future => ({ name: "", failed: 0, ...(left !== undefined && { unsolved: left }), bands: [], figures: {}, differences: {}, sensitivity: {} });
    expect(unsolved(result({ futures: [future(0), future(3)] }))).toBe("The loops of the system are not solved in 3 members: do not trust it.");
    expect(unsolved(result({ futures: [future(0), future()] }))).toBe("");
  });
});
