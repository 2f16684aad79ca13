import { describe, expect, it } from "vitest";

import type { Piece } from "../src/api/types";
import { laid, nodeAt, pinned, prefixes, singled, trail, within } from "../src/tree/branches";

function piece(path: string, kind: string, count: number, children: Piece[] = [], next: number | null = null): Piece {
  return { path, name: path.split("/").at(-1) as string, kind, count, assets: 7, children, next };
}

const asset = (path: string): Piece => piece(path, "asset", 0);
const TOP = piece("e", "enterprise", 1, [piece("e/s", "site", 3, [piece("e/s/a", "area", 250), asset("e/s/p-1")], 5)]);

describe("what is known of the tree", () => {
  it("is laid together from pieces, the rest behind what was there", () => {
    let known = laid(new Map(), TOP);
    expect([...known.keys()]).toEqual(["e", "e/s"]);
    expect(known.get("e/s")).toMatchObject({ next: 5, node: { count: 3, path: "e/s" } });
    known = laid(known, piece("e/s", "site", 3, [asset("e/s/p-2")]), 5);
    expect(known.get("e/s")?.children.map(({ name }) => name)).toEqual(["a", "p-1", "p-2"]);
    expect(known.get("e/s")?.next).toBeNull();
    known = laid(known, piece("e/s", "site", 1, [asset("e/s/p-2")]));
    expect(known.get("e/s")?.children.map(({ name }) => name), "asked anew it is what was given").toEqual(["p-2"]);
  });

  it("has no children of a node of which none were given", () => {
    expect(laid(new Map(), TOP).has("e/s/a")).toBe(false);
    expect(laid(new Map(), piece("e/s/a", "area", 0)).get("e/s/a")?.children).toEqual([]);
  });

  it("finds nodes, and the way to them as far as it is known", () => {
    const known = laid(new Map(), TOP);
    expect(nodeAt(known, "e/s/p-1")?.kind).toBe("asset");
    expect(nodeAt(known, "e/s/p-9")).toBeNull();
    expect(trail(known, "e/s", "e/s/a/x").map(({ path }) => path)).toEqual(["e/s", "e/s/a"]);
    expect(prefixes("e/s/a")).toEqual(["e", "e/s", "e/s/a"]);
  });

  it("shows the one that leads to what is looked at, if it was not given yet", () => {
    let known = laid(new Map(), TOP);
    known = laid(known, asset("e/s/p-9"));
    const site = known.get("e/s");
    expect(site && pinned(known, site, "e/s/p-9")?.path).toBe("e/s/p-9");
    expect(site && pinned(known, site, "e/s/p-1")).toBeNull();
    expect(site && pinned(known, site, "e/s")).toBeNull();
    expect(site && pinned(known, site, "e/other/p")).toBeNull();
  });

  it("begins at the site of an enterprise that has one", () => {
    const known = laid(new Map(), TOP);
    expect(singled(known, TOP).path).toBe("e/s");
    expect(singled(known, { ...TOP, count: 2 }).path).toBe("e");
  });

  it("does not take pump-10 for a part of pump-1", () => {
    expect([within("e/pump-10", "e/pump-1"), within("e/pump-1/motor", "e/pump-1"), within("e", "e")]).toEqual([false, true, true]);
  });
});
