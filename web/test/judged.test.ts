/** What a what-if is judged by is chosen by ticking, stands in the address, and is shown with what it means. */

import { describe, expect, it } from "vitest";

import { chance, choices, chosenOf, isNone, isWritten, missing, rowsOf, verdict, written } from "../src/whatif/judged";
import type { Offered } from "../src/whatif/types";

const one = (name: string, over: Partial<Offered> = {}): Offered => ({ name, kpi: name, unit: "1", default: true, description: "", ...over });
const offered = [one("energy"), one("over", { description: "too hot" }), one("over, times", { kpi: "over" }), one("flow, mean", { default: false })];
const result = (...names: string[]) => ({ kpis: names.map((name) => ({ name, unit: "1", better: "" })) });

describe("figures", () => {
  it("are chosen by what was declared: a time outside a limit comes with how often", () => {
    expect(choices(offered).map((c) => c.kpi)).toEqual(["energy", "over", "flow, mean"]);
  });
  it("are those that are told anyway, where the address names none that there is", () => {
    expect([chosenOf(undefined, offered), chosenOf("gone", offered)]).toEqual([["energy", "over"], ["energy", "over"]]);
    expect(chosenOf("gone;flow, mean;over", offered)).toEqual(["over", "flow, mean"]);
  });
  it("stand in the address only where they are others", () => {
    expect(written(["over", "energy"], offered)).toBeUndefined();
    expect(chosenOf(written(["over", "flow, mean"], offered), offered)).toEqual(["over", "flow, mean"]);
  });
  it("are also written in words, which stand in the address, and have rows of their names", () => {
    const line = "A={order: flow, amount: 300 m3, by: 8 h}";
    expect([isWritten(line), isWritten("A={order: flow"), isWritten("energy"), isWritten("a;b={x}")]).toEqual([true, false, false, false]);
    expect(chosenOf(`over;${line}`, offered)).toEqual(["over", line]);
    expect(chosenOf(written(["over", line], offered), offered)).toEqual(["over", line]);
    const results = [result("over", "A", "A, missing", "B")];
    expect(rowsOf(results, ["over", line], offered).map((r) => r.name)).toEqual(["over", "A", "A, missing"]);
    expect([missing(results, [line], offered), missing([result("over")], [line], offered)]).toEqual([[], [line]]);
  });
  it("have a row each where any result has them, and were chosen, or are of somebody's own", () => {
    const results = [result("energy", "over", "over, times"), result("energy", "peak")];
    expect(rowsOf(results, ["over"], offered).map((r) => [r.name, r.description])).toEqual([["over", "too hot"], ["over, times", ""], ["peak", ""]]);
    expect(missing(results, ["energy", "flow, mean"], offered)).toEqual(["flow, mean"]);
  });
});

describe("a difference", () => {
  it("is better or worse where it is clear and somebody said which way", () => {
    const d = { mean: -1, clear: true };
    expect([verdict(d, "less"), verdict(d, "more"), verdict(d, ""), verdict({ ...d, clear: false }, "less"), verdict({ mean: 0, clear: true }, "less")])
      .toEqual(["better", "worse", "", "", ""]);
  });
  it("is none where every member is the same", () => {
    expect([isNone({ mean: 0, interval: [0, 0] }), isNone({ mean: 0, interval: [-1, 1] }), isNone({ mean: 0 }), isNone({ mean: 1, interval: [0, 2] })])
      .toEqual([true, false, false, false]);
  });
  it("says how likely it is by chance", () => {
    expect([chance(1e-9), chance(0.0412), chance(null)]).toEqual(["p < 0.001", "p = 0.041", ""]);
  });
});
