/** Where each asset stands and how each line runs, for any plant: from its relations, without a hand-made picture. */

import { acyclic, type Edge, layersOf, neighbours, ordered, subdivide } from "./layers";

export interface Box {
  id: string;
  /** Size of the symbol with its tile of values. */
  width: number;
  height: number;
  /** Height above the box's bottom edge at which lines meet the symbol, from the top. */
  port: number;
}

export interface Placed extends Box {
  x: number;
  y: number;
}

export interface Line extends Edge {
  points: [number, number][];
}

export interface Layout {
  boxes: Placed[];
  lines: Line[];
  width: number;
  height: number;
}

const GAP_X = 46;
const GAP_Y = 28;
const HELPER: Omit<Box, "id"> = { width: 0, height: 24, port: 12 };

/** Moves the boxes of a column towards where their neighbours stand, as far as they leave each other room. */
function settle(column: Placed[], wish: (box: Placed) => number | null): void {
  const wanted = column.map((box) => wish(box) ?? box.y);
  let free = Number.NEGATIVE_INFINITY;
  column.forEach((box, i) => {
    box.y = Math.max(wanted[i] as number, free);
    free = box.y + box.height + GAP_Y;
  });
  // Pushing only downwards would let a column sink: move it up by the mean of what it was pushed.
  const pushed = column.reduce((sum, box, i) => sum + box.y - (wanted[i] as number), 0) / column.length;
  for (const box of column) box.y -= pushed;
}

function columnsOf(connected: readonly Box[], edges: readonly Edge[]): { columns: Placed[][]; chains: string[][] } {
  const size = new Map(connected.map((box) => [box.id, box]));
  const ids = connected.map((box) => box.id);
  const forward = acyclic(ids, edges);
  const layer = layersOf(ids, forward);
  const { chains } = subdivide(forward, layer);
  let x = 0;
  const columns = ordered(layer, chains).map((names) => {
    const boxes = names.map((id) => ({ ...(size.get(id) ?? { ...HELPER, id }), x, y: 0 }));
    const width = Math.max(...boxes.map((box) => box.width));
    let y = 0;
    for (const box of boxes) {
      box.x = x + (width - box.width) / 2;
      box.y = y;
      y += box.height + GAP_Y;
    }
    for (const box of boxes) box.y -= (y - GAP_Y) / 2;
    x += width + GAP_X;
    return boxes;
  });
  return { columns, chains };
}

function align(columns: Placed[][], chains: readonly string[][]): Map<string, Placed> {
  const placed = new Map(columns.flat().map((box) => [box.id, box]));
  const { before, after } = neighbours(chains);
  const wish = (mates: Map<string, string[]>) => (box: Placed): number | null => {
    const others = (mates.get(box.id) ?? []).map((id) => placed.get(id) as Placed);
    if (others.length === 0) return null;
    return others.reduce((sum, other) => sum + other.y + other.port, 0) / others.length - box.port;
  };
  // The last sweep looks at feeders only, so that a plain chain becomes a straight line.
  for (let sweep = 0; sweep < 3; sweep++) {
    const forth = sweep % 2 === 0;
    for (const column of forth ? columns : [...columns].reverse()) settle(column, wish(forth ? before : after));
  }
  return placed;
}

function route(chain: readonly string[], placed: Map<string, Placed>): [number, number][] {
  const boxes = chain.map((id) => placed.get(id) as Placed);
  const first = boxes[0] as Placed;
  const points: [number, number][] = [[first.x + first.width, first.y + first.port]];
  for (const box of boxes.slice(1)) {
    const [px, py] = points[points.length - 1] as [number, number];
    const y = box.y + box.port;
    const turn = Math.max(px + GAP_X / 4, box.x - GAP_X / 2);
    if (Math.abs(y - py) > 1) points.push([turn, py], [turn, y]);
    points.push([box.x, Math.abs(y - py) > 1 ? y : py]);
  }
  return points;
}

/** Puts boxes without relations in rows under the picture. */
function grid(loose: readonly Box[], top: number, width: number): Placed[] {
  let [x, y, tallest] = [0, top, 0];
  return loose.map((box) => {
    if (x > 0 && x + box.width > width) {
      x = 0;
      y += tallest + GAP_Y;
      tallest = 0;
    }
    const placed = { ...box, x, y };
    x += box.width + GAP_X / 2;
    tallest = Math.max(tallest, box.height);
    return placed;
  });
}

/** Lays out `boxes` and the lines between them; edges to boxes that are not here are left out. */
export function layOut(boxes: readonly Box[], edges: readonly Edge[], minWidth = 900): Layout {
  const here = new Set(boxes.map((box) => box.id));
  const inside = edges.filter(({ from, to }) => here.has(from) && here.has(to) && from !== to);
  const joined = new Set(inside.flatMap(({ from, to }) => [from, to]));
  const { columns, chains } = columnsOf(boxes.filter((box) => joined.has(box.id)), inside);
  const placed = align(columns, chains);
  const real = [...placed.values()].filter((box) => here.has(box.id));
  const top = Math.min(0, ...[...placed.values()].map((box) => box.y));
  for (const box of placed.values()) box.y -= top;
  const bottom = real.length > 0 ? Math.max(...real.map((box) => box.y + box.height)) + GAP_Y : 0;
  const right = Math.max(0, ...real.map((box) => box.x + box.width));
  const loose = grid(boxes.filter((box) => !joined.has(box.id)), bottom, Math.max(right, minWidth));
  const all = [...real, ...loose];
  const lines = chains.map((chain) => ({
    from: chain[0] as string,
    to: chain[chain.length - 1] as string,
    points: route(chain, placed),
  }));
  return {
    boxes: all,
    lines,
    width: Math.max(0, ...all.map((box) => box.x + box.width)),
    height: Math.max(0, ...all.map((box) => box.y + box.height)),
  };
}
