/** A what-if is asked and read in the units of the plant, whatever the model computes in. */

import { describe, expect, it } from "vitest";

import { along, becomes, change, draftOf, inWords, isIdle, read, write } from "../src/whatif/draft";
import { namesOf } from "../src/whatif/told-apart";
import type { Quantity, Result } from "../src/whatif/types";
import { inPlantUnits, shown, toSi } from "../src/whatif/units";
import { ticks } from "../src/whatif/fan";

const quantity = (over: Partial<Quantity>): Quantity => ({
  unit: "1", value: 1, source: "signal", low: null, high: null, description: "", shown_unit: "1", scale: 1, offset: 0, ...over,
});
const flow = quantity({ unit: "m**3/s", value: 0.085, shown_unit: "m3/h", scale: 1 / 3600 });
const warmth = quantity({ unit: "K", value: 293.15, shown_unit: "degC", offset: 273.15 });
const power = quantity({ unit: "W", value: 5000, shown_unit: "kW", scale: 1000 });

describe("units of the plant", () => {
  it("go to SI and back, with their zero", () => {
    expect(shown(0.085, flow)).toBeCloseTo(306);
    expect([shown(293.15, warmth), toSi(20, warmth)]).toEqual([20, 293.15]);
  });
  it("are what a result is read in; a difference has no zero, an energy and what is unknown stay", () => {
    const result = {
      watch: [{ name: "warmth", unit: "K" }, { name: "foreign", unit: "m" }],
      kpis: [{ name: "warmth, mean", unit: "K", better: "" }, { name: "power, energy", unit: "kWh", better: "less" }],
      futures: [{
        bands: [[[293.15, null]], [[1]]],
        figures: { "warmth, mean": { mean: 283.15, quantiles: [273.15, null], never: 0 }, "power, energy": { mean: 2, quantiles: [2], never: 0 } },
        differences: { "warmth, mean": { mean: 10, quantiles: [10], more: 1, clear: true } },
      }],
    } as unknown as Result;
    const kpis = [
      { name: "warmth, mean", statistic: "mean", of: "warmth", unit: "K" },
      { name: "power, energy", statistic: "integral", of: "power", unit: "kWh", factor: 1 / 3.6e6 },
    ];
    const read = inPlantUnits(result, { kpis }, { warmth, power });
    expect(read.watch.map((w) => w.unit)).toEqual(["degC", "m"]);
    expect(read.kpis.map((k) => k.unit)).toEqual(["degC", "kWh"]);
    expect(read.futures[0]?.bands).toEqual([[[20, null]], [[1]]]);
    expect(read.futures[0]?.figures["warmth, mean"]).toEqual({ mean: 10, quantiles: [0, null], never: 0 });
    expect(read.futures[0]?.figures["power, energy"]?.mean).toBe(2);
    expect(read.futures[0]?.differences["warmth, mean"]?.mean).toBe(10);
  });
  it("are what is asked in, and say so", () => {
    const set = { ...draftOf("flow", flow, 24), how: "set" as const, by: 360 };
    expect(change(set, 3600, flow)).toEqual({ of: "flow", how: "set", value: 360, unit: "m3/h" });
    expect(inWords(set, "m3/h")).toBe("flow = 360 m³/h");
    const ramp = change({ ...set, course: "ramp" }, 3600, flow);
    expect(ramp).toMatchObject({ profile: [[0, expect.closeTo(306)], [3600, 360]], shape: "linear", unit: "m3/h" });
  });
  it("take no share of a temperature: 15 % more of 20 °C is no 64 °C", () => {
    const draft = { ...draftOf("warmth", warmth, 24), by: 3 };
    expect([draft.how, becomes(draft, warmth)]).toEqual(["add", 23]);
    expect(change(draft, 3600, warmth)).toEqual({ of: "warmth", how: "add", value: 3, unit: "degC" });
    expect([isIdle(draft, warmth), isIdle({ ...draft, by: 0 }, warmth)]).toEqual([false, true]);
  });
});

describe("a profile", () => {
  const profile = { ...along(draftOf("flow", flow, 24), "profile", flow, 24), points: [[6, 36], [0.5, 306]] as [number, number][] };
  it("begins as what was set, held over the horizon, and can become one value again", () => {
    expect(along(draftOf("flow", flow, 24), "profile", flow, 24).points).toEqual([[0, 306], [24, 306]]);
    expect(along(profile, "at once", flow, 24)).toMatchObject({ how: "set", by: 306, course: "at once", points: [] });
  });
  it("is asked for in the order of time, from its first instant on", () => {
    expect(change(profile, 86_400, flow)).toEqual({
      of: "flow", how: "set", profile: [[1800, 306], [21_600, 36]], shape: "hold", start_s: 1800, unit: "m3/h",
    });
  });
  it("stands in the address beside other changes, and what cannot be read is left out", () => {
    const text = "flow=6:36,0.5:306@hold;level=0:-1.5,2:1e-7@linear;speed+-3@0;demand*1.15@2:1:4;flow=300@1";
    expect(write(read(text))).toBe(text);
    expect(read("flow=1:2:3@hold;flow=1@9;flow=a:b@hold;x*NaN@0;=1@0;flow=.:1@hold")).toEqual([]);
  });
});

describe("scenarios that are compared", () => {
  const one = (title: string, hours: number, seed: number) => ({ title, result: { seed, times_s: [0, 3600 * hours] } });

  it("are told apart by what differs", () => {
    expect(namesOf([one("a", 6, 1), one("b", 6, 2)])).toEqual(["a", "b"]);
    expect(namesOf([one("a", 6, 1), one("a", 24, 1)])).toEqual(["a, over 6 h", "a, over 24 h"]);
    expect(namesOf([one("a", 6, 1), one("a", 6, 2), one("b", 6, 1)])).toEqual(["a, seed 1", "a, seed 2", "b"]);
    expect(namesOf([one("a", 6, 1), one("a", 6, 1)])).toEqual(["a, seed 1", "a, seed 1 (2)"]);
  });
});

describe("the scale of a fan", () => {
  it("has round values with as many digits as tell them apart", () => {
    expect(ticks(77630, 201300).map(([, label]) => label)).toEqual(["100000", "150000", "200000"]);
    expect(ticks(0.0012, 0.7465).map(([, label]) => label)).toEqual(["0.2", "0.4", "0.6"]);
    expect(ticks(285.1, 285.13).map(([, label]) => label)).toEqual(["285.10", "285.11", "285.12", "285.13"]);
    expect(ticks(-2, 2).map(([value]) => value)).toEqual([-2, -1, 0, 1, 2]);
    expect(ticks(1e6, 4e6).map(([, label]) => label)).toEqual(["1.00e+6", "2.00e+6", "3.00e+6", "4.00e+6"]);
  });
});
