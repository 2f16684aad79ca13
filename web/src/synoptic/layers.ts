/**
 * Layers of a flow graph, as Sugiyama, Tagawa and Toda (1981) draw it: break cycles, put each node after what
 * feeds it, and order each layer so that few lines cross. Pure, and the same for the same input.
 */

export interface Edge {
  from: string;
  to: string;
}

/** Edges without those that close a cycle (found depth first, in the given order) and without loops. */
export function acyclic(nodes: readonly string[], edges: readonly Edge[]): Edge[] {
  const after = new Map<string, Edge[]>(nodes.map((node) => [node, []]));
  for (const edge of edges) if (edge.from !== edge.to) after.get(edge.from)?.push(edge);
  const state = new Map<string, "open" | "done">();
  const kept: Edge[] = [];
  const visit = (node: string): void => {
    state.set(node, "open");
    for (const edge of after.get(node) ?? []) {
      if (state.get(edge.to) === "open") continue;
      kept.push(edge);
      if (!state.has(edge.to)) visit(edge.to);
    }
    state.set(node, "done");
  };
  for (const node of nodes) if (!state.has(node)) visit(node);
  return kept;
}

/** The layer of each node: after everything that feeds it; a source stands just before what it feeds. */
export function layersOf(nodes: readonly string[], edges: readonly Edge[]): Map<string, number> {
  const feeders = new Map<string, string[]>(nodes.map((node) => [node, []]));
  for (const { from, to } of edges) feeders.get(to)?.push(from);
  const layer = new Map<string, number>();
  const place = (node: string): number => {
    const known = layer.get(node);
    if (known !== undefined) return known;
    const depth = Math.max(-1, ...(feeders.get(node) ?? []).map(place)) + 1;
    layer.set(node, depth);
    return depth;
  };
  nodes.forEach(place);
  for (const node of nodes) {
    const fed = edges.filter((edge) => edge.from === node).map((edge) => layer.get(edge.to) as number);
    if ((feeders.get(node) ?? []).length === 0 && fed.length > 0) layer.set(node, Math.min(...fed) - 1);
  }
  return layer;
}

/** Splits edges over more than one layer by helper nodes (names begin with `~`), so that lines go around. */
export function subdivide(edges: readonly Edge[], layer: Map<string, number>): { chains: string[][] } {
  const chains = edges.map(({ from, to }, index) => {
    const start = layer.get(from) as number;
    const end = layer.get(to) as number;
    const chain = [from];
    for (let depth = start + 1; depth < end; depth++) {
      const helper = `~${index}.${depth}`;
      layer.set(helper, depth);
      chain.push(helper);
    }
    return [...chain, to];
  });
  return { chains };
}

/** Who stands before and who after each node of the chains. */
export function neighbours(chains: readonly string[][]): {
  before: Map<string, string[]>;
  after: Map<string, string[]>;
} {
  const before = new Map<string, string[]>();
  const after = new Map<string, string[]>();
  for (const chain of chains) {
    for (let i = 1; i < chain.length; i++) {
      const [from, to] = [chain[i - 1] as string, chain[i] as string];
      after.set(from, [...(after.get(from) ?? []), to]);
      before.set(to, [...(before.get(to) ?? []), from]);
    }
  }
  return { before, after };
}

function barycentre(node: string, neighbours: Map<string, string[]>, at: Map<string, number>): number {
  const places = (neighbours.get(node) ?? []).map((other) => at.get(other)).filter((p) => p !== undefined);
  if (places.length === 0) return at.get(node) ?? 0;
  return places.reduce((sum, place) => sum + place, 0) / places.length;
}

/** Orders each layer by the mean place of its neighbours, sweeping forth and back. */
export function ordered(layer: Map<string, number>, chains: readonly string[][]): string[][] {
  const columns: string[][] = [];
  for (const [node, depth] of layer) (columns[depth] ??= []).push(node);
  const { before, after } = neighbours(chains);
  const at = new Map<string, number>();
  const note = (column: string[]): void => column.forEach((node, i) => at.set(node, i - (column.length - 1) / 2));
  columns.forEach(note);
  for (let sweep = 0; sweep < 6; sweep++) {
    const forth = sweep % 2 === 0;
    for (const column of forth ? columns : [...columns].reverse()) {
      const weight = new Map(column.map((node) => [node, barycentre(node, forth ? before : after, at)]));
      column.sort((a, b) => (weight.get(a) as number) - (weight.get(b) as number));
      note(column);
    }
  }
  return columns;
}
