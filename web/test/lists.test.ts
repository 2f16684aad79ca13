import { describe, expect, it } from "vitest";

import type { Alarm } from "../src/api/types";
import { qualityOf, qualityOfStatus } from "../src/live/quality";
import { beyond, placeOf } from "../src/parts/bar-place";
import { compare, orderOf } from "../src/parts/sort-order";
import { before } from "../src/alarm-order";
import { sparkPath } from "../src/parts/spark-path";

describe("quality", () => {
  it("is read from OPC UA statuses and from the codes of the frame", () => {
    const words = [0, 0x00960000, 0x40910000, 0x40930000, 0x803c0600, 0xc0000000].map(qualityOfStatus);
    expect(words).toEqual(["good", "manual", "substituted", "uncertain", "bad", "bad"]);
    expect([0, 4, 6, 99].map(qualityOf)).toEqual(["none", "stale", "simulated", "none"]);
  });
});

describe("the list of alarms", () => {
  const alarm = (state: Alarm["state"], priority: 1 | 2 | 3, raised: string): Alarm =>
    ({ id: `${state}${priority}${raised}`, state, priority, raised }) as Alarm;

  it("has what nobody saw first, then by priority, then the newest", () => {
    const list = [
      alarm("shelved", 1, "5"),
      alarm("acknowledged", 1, "4"),
      alarm("unacknowledged", 2, "1"),
      alarm("unacknowledged", 2, "3"),
      alarm("returned_unacknowledged", 1, "2"),
      alarm("unacknowledged", 1, "0"),
    ];
    expect(list.sort(before).map(({ raised }) => raised)).toEqual(["0", "3", "1", "2", "4", "5"]);
  });
});

describe("a bar", () => {
  it("never points outside, and knows when a limit is passed", () => {
    expect([-5, 0, 50, 200].map((value) => placeOf(value, 0, 100))).toEqual([0, 0, 50, 100]);
    expect([beyond(90, { high: 85 }), beyond(80, { high: 85 }), beyond(1, { low: 2 }), beyond(1, null)]).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });
});

describe("sorting", () => {
  it("puts what is not known last, both ways", () => {
    for (const down of [false, true]) {
      expect([null, 2, 1].sort((a, b) => compare(a, b, down)).at(-1)).toBeNull();
    }
    expect(orderOf("-gaps", "signal")).toEqual({ column: "gaps", down: true });
    expect(orderOf(undefined, "signal")).toEqual({ column: "signal", down: false });
  });
});

describe("a small trend", () => {
  it("leaves gaps open and what is too old out", () => {
    const points = [0, 90, 95, 100].map((time) => ({ time, value: time === 95 ? Number.NaN : time }));
    expect(sparkPath(points, 100, 20)).toBe("M50.0 22.0M100.0 2.0");
    expect(sparkPath([], 100, 20)).toBe("");
  });

  it("begins where the twin began, and shows noise as noise", () => {
    const points = [700, 1000].map((time, i) => ({ time, value: i }));
    expect(sparkPath(points, 1000, 900)).toBe("M0.0 22.0L100.0 2.0");
    expect(sparkPath(points, 1000, 900, 10)).toBe("M0.0 13.0L100.0 11.0");
  });
});
