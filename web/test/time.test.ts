import { describe, expect, it, vi } from "vitest";

vi.stubGlobal("location", { search: "", pathname: "/", hash: "" });
vi.stubGlobal("addEventListener", () => undefined);
const { cursor, moveTo, parseCursor, searchOf } = await import("../src/time/cursor");
const { fromZoned, toZoned } = await import("../src/time/zoned");
const { markOf } = await import("../src/views/differences");
const { Cells } = await import("../src/live/cells");

describe("the time cursor", () => {
  it("stands in the address and comes back as it was", () => {
    for (const cursor of [
      { mode: "live" },
      { mode: "held", at: 1763719282.25 },
      { mode: "moving", behind: 3600 },
    ] as const) {
      expect(parseCursor(searchOf(cursor))).toEqual(cursor);
    }
    expect(searchOf({ mode: "held", at: 0 })).toBe("?at=1970-01-01T00:00:00.000Z");
  });

  it("leaves alone what else stands there, and is live where nothing can be read", () => {
    expect(searchOf({ mode: "live" }, "?wall=3&at=2026-01-01T00:00:00Z&behind=5")).toBe("?wall=3");
    for (const search of ["", "?at=yesterday", "?behind=-5", "?behind=x"]) {
      expect(parseCursor(search)).toEqual({ mode: "live" });
    }
  });
});

describe("moving the cursor", () => {
  it("stays where it is while the time to go to is not known", () => {
    vi.stubGlobal("history", { pushState: () => undefined });
    moveTo({ mode: "held", at: 60 });
    for (const unknown of [
      { mode: "held", at: Number.NaN },
      { mode: "moving", behind: Number.NaN },
    ] as const) {
      moveTo(unknown);
      expect(cursor.value).toEqual({ mode: "held", at: 60 });
    }
    moveTo({ mode: "live" });
    expect(cursor.value).toEqual({ mode: "live" });
  });
});

describe("times as people type them", () => {
  it("are read in the plant's zone, also beside a change of clocks", () => {
    expect(fromZoned("2026-11-21T10:01:22", "Europe/Berlin")).toBe(Date.UTC(2026, 10, 21, 9, 1, 22) / 1000);
    for (const text of ["2026-03-29T01:59:59", "2026-03-29T03:00:00", "2026-10-25T04:00:00", "2026-07-01T12:00:00"]) {
      expect(toZoned(fromZoned(text, "Europe/Berlin"), "Europe/Berlin")).toBe(text);
    }
    expect(fromZoned("soon", "UTC")).toBeNaN();
    expect(toZoned(Number.NaN, "UTC")).toBe("");
  });
});

describe("what differs", () => {
  const signal: { kind: "analog"; range: [number, number] } = { kind: "analog", range: [0, 400] };
  const one = { value: 120, text: null, quality: "good" };

  it("is a shape and words, and nothing where it cannot be seen", () => {
    const line = (value: number | null, quality = "good") => ({
      property: "flow",
      before: one,
      after: { ...one, value, quality },
      delta: value === null ? null : value - 120,
      changed: value === 120 ? [] : ["value"],
    });
    expect(markOf(line(120.01), signal)).toEqual({ shape: "=", words: "same", changed: false });
    expect(markOf(line(130), signal)).toEqual({ shape: "▲", words: "higher", changed: true });
    expect(markOf(line(110, "bad"), signal)).toEqual({ shape: "▼", words: "lower, good → bad", changed: true });
    expect(markOf(line(120, "stale"), signal).words).toBe("good → stale");
    expect(markOf(line(null), signal).shape).toBe("≠");
  });
});

describe("cells in the past", () => {
  it("show what stood then and nothing that comes live, until they are live again", () => {
    const flushes: (() => void)[] = [];
    const cells = new Cells(
      (flush) => flushes.push(flush),
      () => undefined,
    );
    const seen: number[] = [];
    cells.watch("p/flow", (cell) => seen.push(cell.value));
    const frame = (value: number) => ({
      id: 1,
      sequence: 1,
      time: 100,
      quality: new Uint8Array([1]),
      age: new Float64Array([0]),
      value: new Float64Array([value]),
    });
    const flush = () => flushes.splice(0).forEach((one) => one());
    cells.apply(["p/flow"], frame(1));
    flush();
    cells.setPast(new Map());
    flush();
    cells.setPast(new Map([["p/flow", { path: "p/flow", value: 7, quality: "good", time: 50, age: 1 } as const]]));
    cells.apply(["p/flow"], frame(2));
    flush();
    cells.setPast(null);
    flush();
    expect(seen).toEqual([Number.NaN, 1, Number.NaN, 7, 2]);
  });
});
