/** The plant's hierarchy as far as it is known: pieces of it, laid together as they are asked for. */

import type { Piece, TreeNode } from "../api/types";

/** A node with those of its children that were given; fewer than `node.count` while some are left out. */
export interface Branch {
  node: TreeNode;
  children: readonly TreeNode[];
  /** Behind which child the rest begins; null where nothing is left out. */
  next: number | null;
}

export type Branches = ReadonlyMap<string, Branch>;

function bare({ children: _children, next: _next, ...node }: Piece): TreeNode {
  return node;
}

/** Lays a piece over what is known; where it goes on behind `after`, behind the children that are there. */
export function laid(known: Branches, piece: Piece, after: number | null = null): Branches {
  const out = new Map(known);
  const lay = (at: Piece, before: readonly TreeNode[]): void => {
    out.set(at.path, { node: bare(at), children: [...before, ...at.children.map(bare)], next: at.next });
    for (const child of at.children) if (child.children.length > 0) lay(child, []);
  };
  lay(piece, after === null ? [] : (known.get(piece.path)?.children ?? []));
  return out;
}

/** The node at a path, or null where no piece had it. */
export function nodeAt(known: Branches, path: string): TreeNode | null {
  const own = known.get(path);
  if (own) return own.node;
  const parent = known.get(path.slice(0, Math.max(0, path.lastIndexOf("/"))));
  return parent?.children.find((child) => child.path === path) ?? null;
}

/** All paths from the first level to a path. */
export function prefixes(path: string): string[] {
  const parts = path.split("/");
  return parts.map((_part, i) => parts.slice(0, i + 1).join("/"));
}

/** The known nodes on the way from one path down to another. */
export function trail(known: Branches, from: string, path: string): TreeNode[] {
  return prefixes(path)
    .filter((prefix) => prefix.length >= from.length)
    .flatMap((prefix) => nodeAt(known, prefix) ?? []);
}

/** Whether a path is another or stands below it. */
export function within(path: string, under: string): boolean {
  return path === under || path.startsWith(`${under}/`);
}

/** The child that leads to a path, where it is none of those given: it is shown behind them. */
export function pinned(known: Branches, branch: Branch, path: string): TreeNode | null {
  if (path === branch.node.path || !within(path, branch.node.path)) return null;
  const next = prefixes(path)[branch.node.path.split("/").length] as string;
  return branch.children.some((child) => child.path === next) ? null : nodeAt(known, next);
}

/** The first node, going down, with something to choose: an enterprise of one site begins at the site. */
export function singled(known: Branches, root: TreeNode): TreeNode {
  const [only] = known.get(root.path)?.children ?? [];
  return root.kind === "enterprise" && root.count === 1 && only && only.kind !== "asset" ? only : root;
}
