import { describe, expect, it } from "vitest";

import type { History, SignalInfo } from "../src/api/types";
import type { Cell } from "../src/live/cells";
import { firstShown, groupsOf } from "../src/trend/groups";
import { holeAt, holesOf, spansOf } from "../src/trend/holes";
import { append, appendLive, empty, fromHistory, scaleOf, trim } from "../src/trend/rows";
import { between, lookOf, moved, queryOf, stretched, windowOf } from "../src/trend/window";

const history: History = {
  signal: "a",
  unit: "m",
  mode: "raw",
  time: [1, 2, 3, 4],
  value: [10, null, 900, 12],
  status: [0, 0, 0x803c0000, 0x40930000],
};
const cell = (time: number, value = 1, quality: Cell["quality"] = "good"): Cell => ({ path: "a", time, value, quality, age: 0 });

describe("the rows of a trend", () => {
  it("keep gaps as gaps and bad values out of the line, but not out of sight", () => {
    const rows = fromHistory(history);
    expect(rows.line).toEqual([10, null, null, 12]);
    expect(rows.value).toEqual([10, null, 900, 12]);
    expect(rows.quality).toEqual(["good", "good", "bad", "uncertain"]);
  });

  it("go on live, with a gap where nothing came for long, and never back in time", () => {
    const rows = fromHistory(history);
    expect(appendLive(rows, cell(4), 5)).toBe(false);
    expect(appendLive(rows, cell(5), 5)).toBe(true);
    appendLive(rows, cell(20), 5);
    expect(rows.time.slice(4)).toEqual([5, 7.5, 20]);
    expect(rows.line.slice(4)).toEqual([1, null, 1]);
  });

  it("take no row from a value that is only old", () => {
    expect(appendLive(empty(), cell(5, 1, "stale"), 5)).toBe(false);
  });

  it("lose what has left the window, but for the point the line enters from", () => {
    const rows = empty();
    for (let time = 0; time < 1000; time++) append(rows, time, time, "good");
    trim(rows, 500);
    expect(rows.time[0]).toBe(499);
    expect(rows.value.length).toBe(rows.time.length);
  });

  it("scale to what the line shows, with room even where it is flat", () => {
    expect(scaleOf([[0, null, 100]])).toEqual([-8, 108]);
    const [low, high] = scaleOf([[5, 5]]) as [number, number];
    expect(low).toBeLessThan(5);
    expect(high).toBeGreaterThan(5);
    expect(scaleOf([[null]])).toBeNull();
    const [least, most] = scaleOf([[50, 50.1]], 10) as [number, number];
    expect(most - least).toBeCloseTo(10, 9);
  });
});

describe("the window of a trend", () => {
  it("stands in the address, following or fixed", () => {
    for (const look of [{ follow: true, span: 3600 } as const, { follow: false, start: 10, end: 20 } as const]) {
      const query = Object.fromEntries(Object.entries(queryOf(look)).filter(([, value]) => value !== undefined));
      expect(lookOf(query as Record<string, string>)).toEqual(look);
    }
    expect(lookOf({ span: "x", from: "9", to: "3" })).toEqual({ follow: true, span: 300 });
  });

  it("moves and stretches around its middle", () => {
    expect(stretched({ start: 10, end: 20 }, 3)).toEqual({ follow: false, start: 0, end: 30 });
    expect(moved({ start: 10, end: 20 }, -0.5)).toEqual({ follow: false, start: 5, end: 15 });
    expect(windowOf({ follow: true, span: 60 }, 100)).toEqual({ start: 40, end: 100 });
  });

  it("is dragged in either direction, and a mere click is none", () => {
    expect(between(20, 10)).toEqual({ follow: false, start: 10, end: 20 });
    expect(between(10, 10.01)).toBeNull();
  });
});

describe("plots", () => {
  const signal = (name: string, unit: string, kind: SignalInfo["kind"] = "analog"): SignalInfo => ({ path: name, name, unit, kind });

  it("share a unit, at most four lines; a state stands alone", () => {
    const groups = groupsOf([
      ...["a", "b", "c", "d", "e"].map((name) => signal(name, "bar")),
      signal("run", "1", "state"),
      signal("open", "1", "state"),
    ]);
    expect(groups.map(({ signals }) => signals.map(({ name }) => name).join(""))).toEqual(["abcd", "e", "run", "open"]);
  });

  it("open with the key values, after what they were told to be, each once", () => {
    const signals = ["torque", "speed_setpoint", "speed", "flow"].map((name) => signal(name, "x"));
    expect(firstShown(signals, [signals[2]!, signals[3]!])).toEqual(["speed_setpoint", "speed", "flow"]);
    expect(firstShown([signals[1]!], [signals[1]!])).toEqual(["speed_setpoint"]);
  });
});

describe("holes of the history", () => {
  const missing = [
    { start: "1970-01-01T00:00:03.000000000Z", end: "1970-01-01T00:00:05.000000000Z", rows: 40, why: "cut off" },
    { start: "1970-01-01T00:00:04.000000000Z", end: "1970-01-01T00:00:06.000000000Z", rows: 1, why: "gone" },
    { start: "1970-01-01T00:00:09.000000000Z", end: "1970-01-01T00:00:10.000000000Z", rows: 2, why: "gone" },
  ];
  const holes = holesOf({ ...history, missing });

  it("are spans with what was lost and why; an answer without any has none", () => {
    expect(holes[0]).toEqual({ start: 3, end: 5, rows: 40, why: "cut off" });
    expect(holesOf(history)).toEqual([]);
  });

  it("are found by a time, their end not among them, and drawn as one where they touch", () => {
    expect([2.9, 3, 5.5, 6, 9].map((time) => holeAt(holes, time)?.rows)).toEqual([undefined, 40, 1, undefined, 2]);
    expect(spansOf([...holes].reverse())).toEqual([{ start: 3, end: 6 }, { start: 9, end: 10 }]);
  });
});
