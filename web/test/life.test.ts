/** Lengths of life and what a change does to them are said so that nobody takes a guess for a number. */

import { describe, expect, it } from "vitest";

import { DAY_S, type LifeFuture } from "../src/life/types";
import { daysText, differenceText, lifeText, percent } from "../src/life/words";

const future = (reason: string, event: Record<string, number | null>): LifeFuture => ({
  name: "baseline", reason, event, risk: {}, times_s: [], fan: [],
});

describe("remaining life in words", () => {
  it("counts days, and years where there are many", () => {
    expect([daysText(3.25 * DAY_S), daysText(41.2 * DAY_S), daysText(1461 * DAY_S), daysText(null)]).toEqual(["3.3 d", "41 d", "4.0 a", "beyond the horizon"]);
  });
  it("says why there is no estimate, and what is known all the same", () => {
    expect(lifeText(future("only 3 readings, 20 are needed", {}))).toBe("No estimate: only 3 readings, 20 are needed.");
    expect(lifeText(future("no end in sight", { q05: 90 * DAY_S, q50: null, q95: null }))).toContain("Not before 90 d (5 %)");
    expect(lifeText(future("", { q05: 10 * DAY_S, q50: 20 * DAY_S, q95: 30 * DAY_S }))).toBe("20 d, 90 %: 10 d to 30 d");
  });
  it("tells a clear difference from one that is not", () => {
    const d = { name: "", median_s: -5 * DAY_S, low_s: -8 * DAY_S, high_s: -2 * DAY_S, ratio: 0.8, earlier: 1, clear: true };
    expect(differenceText(d)).toBe("−5.0 d, 90 %: −8.0 d to −2.0 d: clearly earlier");
    expect(differenceText({ ...d, clear: false, median_s: null, earlier: 0.6 })).toContain("not clearly earlier");
  });
  it("never rounds a risk away", () => {
    expect([percent(0), percent(0.001), percent(0.256)]).toEqual(["0 %", "< 1 %", "26 %"]);
  });
});
