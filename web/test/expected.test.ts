/** The band in which a reading is expected has gaps where nothing is known, and who is suspected is said with how much. */

import { describe, expect, it } from "vitest";

import type { History } from "../src/api/types";
import { bandOf, inSight, runs } from "../src/expected/band";
import type { Out, Residual } from "../src/expected/types";
import { byText, outText, residualText } from "../src/expected/words";

const history = (value: (number | null)[], sigma?: (number | null)[]): History => ({
  signal: "a", unit: "m", mode: "raw", time: value.map((_, i) => i), value, status: value.map(() => 0), ...(sigma ? { sigma } : {}),
});

describe("the band in which a reading is expected", () => {
  it("reaches two standard deviations to either side, and has a gap where one is not known", () => {
    const band = bandOf(history([10, null, 12, 14], [1, 1, 0.5, null]));
    expect([band.low, band.high]).toEqual([[8, Number.NaN, 11, Number.NaN], [12, Number.NaN, 13, Number.NaN]]);
    expect(runs(band)).toEqual([[0], [2]]);
    expect(runs(bandOf(history([1, 2])))).toEqual([]);
  });
  it("does not flatten the reading while an estimate that has just begun knows nothing", () => {
    expect(inSight(bandOf(history([0, 10, 10, 10], [1000, 1, 1, 1])))).toEqual([[8, 12], [8, 12], [8, 12]]);
  });
});

describe("a reading that is not as expected", () => {
  const out: Out = {
    since: "2026-03-01T12:30:05Z", read: 5, expected: 4, how: "drifting", substituted: true, missing: [],
    suspects: [{ kind: "sensor", name: "lower", probability: 0.966 }, { kind: "process", name: "k_1", probability: 0.03 },
               { kind: "model", name: "Tanks", probability: 0.004 }],
  };
  it("is said with since when, who is suspected, how much and in which manner", () => {
    expect(outText(out, "UTC")).toBe(
      "Not as expected since 2026-03-01 12:30:05. Suspected: sensor lower 97 % (drifting), process k 1 3 %.",
    );
    const [first] = out.suspects;
    expect(outText({ ...out, substituted: false, suspects: [{ ...(first as never as Out["suspects"][0]), probability: 0.9991 }] }, "UTC")).toContain("lower > 99 % (drifting).");
  });
  it("is said with what expected it: the model, the version of its parameters, and how much of that is physics", () => {
    const residual: Residual = { signal: "a", unit: "m", read: 5, expected: 4, sigma: 1, by: "plants.tanks:CascadedTanks", parameters: 3, hybrid: { physics_share: 0.934 }, out, instead: null };
    expect(byText(residual)).toBe("Expected by CascadedTanks, parameters version 3, 93 % physics.");
    expect(byText({ ...residual, parameters: 0, hybrid: null })).toBe("Expected by CascadedTanks, parameters of the plant file.");
    const outside = { ...residual, hybrid: { physics_share: 0.934, known_now: 0.02 } };
    expect(byText(outside)).toBe("Expected by CascadedTanks, parameters version 3, 93 % physics. Outside of what was learned just now: by physics alone.");
    expect(byText({ ...residual, hybrid: { physics_share: 0.934, known_now: 0.7 } })).toBe(byText(residual));
    expect(byText({ ...residual, by: "" })).toBe("");
  });
  it("is said with who could not be asked, and why and since when its sensor is not listened to", () => {
    const instead = { why: "blamed" as const, since: "2026-03-01T12:31:00Z" };
    const residual: Residual = { signal: "a", unit: "m", read: 5, expected: 4, sigma: 1, by: "", parameters: 3, hybrid: null, out: { ...out, missing: ["b"] }, instead };
    const unasked = " Not asked, for they read nothing: b.";
    const why = "The sensor is not listened to, it is to blame, since 2026-03-01 12:31:00: what is estimated stands for it.";
    expect(residualText(residual, "UTC")).toBe(`${outText(out, "UTC")}${unasked} ${why}`);
    expect(residualText({ ...residual, out: null }, "UTC")).toBe(why);
    expect(residualText({ ...residual, out: null, instead: null }, "UTC")).toBe("");
  });
});
