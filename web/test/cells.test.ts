import { describe, expect, it } from "vitest";

import { Cells } from "../src/live/cells";
import type { Frame } from "../src/live/frame";

function frame(value: number, quality = 1, age: number | null = null): Frame {
  return {
    id: 1,
    sequence: 1,
    time: 100,
    quality: new Uint8Array([quality]),
    age: age === null ? null : new Float64Array([age]),
    value: new Float64Array([value]),
  };
}

/** Cells whose animation frame comes when the test says so. */
function rig() {
  const flushes: (() => void)[] = [];
  let changes = 0;
  const cells = new Cells(
    (flush) => flushes.push(flush),
    () => changes++,
  );
  const flush = (): void => flushes.splice(0).forEach((one) => one());
  return { cells, flush, flushes, changes: () => changes };
}

describe("cells", () => {
  it("show the latest of several frames, once per animation frame", () => {
    const { cells, flush, flushes } = rig();
    const seen: number[] = [];
    cells.watch("a", (cell) => seen.push(cell.value));
    cells.apply(["a"], frame(1));
    cells.apply(["a"], frame(2));
    expect(flushes.length).toBe(1);
    flush();
    expect(seen.slice(1)).toEqual([2]);
  });

  it("are quiet when nothing changed", () => {
    const { cells, flush, flushes } = rig();
    cells.watch("a", () => undefined);
    cells.apply(["a"], frame(1));
    flush();
    cells.apply(["a"], frame(1));
    expect(flushes.length).toBe(0);
  });

  it("ask for a signal once, however many show it, and let it go with the last", () => {
    const { cells, changes } = rig();
    const first = cells.watch("a", () => undefined);
    const second = cells.watch("a", () => undefined);
    expect([cells.wanted(), changes()]).toEqual([["a"], 1]);
    first();
    expect(cells.wanted()).toEqual(["a"]);
    second();
    expect([cells.wanted(), changes()]).toEqual([[], 2]);
  });

  it("look stale while the link is lost, and as they were when it is back", () => {
    const { cells, flush } = rig();
    const seen: string[] = [];
    cells.watch("a", (cell) => seen.push(cell.quality));
    cells.apply(["a"], frame(1, 2));
    flush();
    cells.setLost(true);
    flush();
    cells.setLost(false);
    flush();
    expect(seen).toEqual(["none", "uncertain", "stale", "uncertain"]);
  });

  it("never let a value that was not there look stale", () => {
    const { cells } = rig();
    cells.watch("a", () => undefined);
    cells.setLost(true);
    expect(cells.peek("a")?.quality).toBe("none");
  });

  it("take the reading's own time from its age", () => {
    const { cells } = rig();
    cells.watch("a", () => undefined);
    cells.apply(["a"], frame(1, 1, 12.5));
    expect(cells.peek("a")).toMatchObject({ time: 87.5, age: 12.5 });
  });
});
