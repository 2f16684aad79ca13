/** The picture of a part of the plant, drawn from what the plant file says: assets, types, relations. */

import { useMemo } from "preact/hooks";

import type { Asset } from "../api/types";
import { type Layout, layOut } from "./layout";
import { boxOf, Node } from "./node";

const MARGIN = 14;

function pathOf(points: readonly [number, number][]): string {
  return points.map(([x, y], i) => `${i === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
}

function pictureOf(assets: readonly Asset[]): Layout {
  const seen = new Set<string>();
  const edges = assets
    .flatMap((asset) => asset.relations)
    .filter(({ from, kind, to }) => {
      const key = `${from} ${kind} ${to}`;
      return !seen.has(key) && seen.add(key);
    });
  return layOut(assets.map(boxOf), edges);
}

export function Synoptic({ assets }: { assets: readonly Asset[] }) {
  const layout = useMemo(() => pictureOf(assets), [assets]);
  const byPath = new Map(assets.map((asset) => [asset.path, asset]));
  const [width, height] = [layout.width + 2 * MARGIN, layout.height + 2 * MARGIN];
  return (
    <div class="synoptic">
      <svg
        viewBox={`${-MARGIN} ${-MARGIN} ${width} ${height}`}
        style={{ maxWidth: `${width * 1.25}px`, minWidth: `${Math.min(width, 1600) * 0.62}px` }}
        role="group"
        aria-label="Synoptic"
      >
        <defs>
          <marker id="flow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="5" markerHeight="5" orient="auto">
            <path d="M0 0 8 4 0 8z" class="arrow" />
          </marker>
        </defs>
        {layout.lines.map((line) => (
          <path key={`${line.from} ${line.to}`} class="pipe" d={pathOf(line.points)} marker-end="url(#flow)" />
        ))}
        {layout.boxes.map((place) => (
          <Node
            key={place.id}
            asset={byPath.get(place.id) as Asset}
            place={place}
            fed={layout.lines.some((line) => line.to === place.id)}
            feeds={layout.lines.some((line) => line.from === place.id)}
          />
        ))}
      </svg>
    </div>
  );
}
