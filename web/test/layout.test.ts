import { describe, expect, it } from "vitest";

import { acyclic, layersOf } from "../src/synoptic/layers";
import { type Box, type Layout, layOut } from "../src/synoptic/layout";

const box = (id: string, height = 100): Box => ({ id, width: 200, height, port: 50 });
const edges = (...pairs: string[]) => pairs.map((pair) => ({ from: pair[0] as string, to: pair[1] as string }));

function at(layout: Layout, id: string) {
  return layout.boxes.find((placed) => placed.id === id) as Layout["boxes"][number];
}

function overlaps(layout: Layout): number {
  const { boxes } = layout;
  return boxes.filter((a, i) =>
    boxes.some(
      (b, j) =>
        j > i && a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height - 0.01 && b.y < a.y + a.height - 0.01,
    ),
  ).length;
}

describe("the synoptic's layout", () => {
  it("draws a station from left to right, its chain as a straight line", () => {
    const station = layOut(["a", "b", "t", "v", "d"].map((id) => box(id)), edges("at", "bt", "tv", "vd"));
    expect(at(station, "a").x).toBeLessThan(at(station, "t").x);
    expect(at(station, "t").x).toBeLessThan(at(station, "v").x);
    expect(at(station, "t").y).toBeCloseTo(at(station, "v").y, 6);
    expect(at(station, "v").y).toBeCloseTo(at(station, "d").y, 6);
    expect(at(station, "t").y).toBeCloseTo((at(station, "a").y + at(station, "b").y) / 2, 6);
  });

  it("lets no boxes overlap and none leave the picture, whatever the plant", () => {
    const ids = Array.from({ length: 26 }, (_, i) => String.fromCharCode(97 + i));
    let seed = 7;
    const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
    for (let round = 0; round < 40; round++) {
      const pairs = Array.from({ length: 30 }, () => ids[Math.floor(random() * 26)]! + ids[Math.floor(random() * 26)]!);
      const layout = layOut(ids.map((id) => box(id, 80 + Math.floor(random() * 120))), edges(...pairs));
      expect(layout.boxes.length).toBe(26);
      expect(overlaps(layout)).toBe(0);
      for (const placed of layout.boxes) {
        expect(placed.x).toBeGreaterThanOrEqual(0);
        expect(placed.y).toBeGreaterThanOrEqual(-0.01);
        expect(placed.x + placed.width).toBeLessThanOrEqual(layout.width + 0.01);
        expect(placed.y + placed.height).toBeLessThanOrEqual(layout.height + 0.01);
      }
    }
  });

  it("survives a cycle and a loop", () => {
    const kept = acyclic(["a", "b", "c"], edges("ab", "bc", "ca", "aa"));
    expect(kept).toEqual(edges("ab", "bc"));
    expect(layOut(["a", "b", "c"].map((id) => box(id)), edges("ab", "bc", "ca")).boxes.length).toBe(3);
  });

  it("puts a source just before what it feeds", () => {
    const layer = layersOf(["a", "b", "c", "s"], edges("ab", "bc", "sc"));
    expect(layer.get("s")).toBe(1);
  });

  it("places what has no relation in rows, and leaves out lines to what is not here", () => {
    const layout = layOut(["a", "b", "c"].map((id) => box(id)), edges("az"), 450);
    expect(layout.lines).toEqual([]);
    expect(new Set(layout.boxes.map((placed) => placed.y)).size).toBe(2);
  });

  it("draws nothing for nothing", () => {
    expect(layOut([], [])).toMatchObject({ boxes: [], lines: [], width: 0, height: 0 });
  });
});
