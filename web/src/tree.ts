/** Questions to the plant's tree. */

import type { TreeNode } from "./api/types";

/** The node at a path, or null. */
export function find(node: TreeNode, path: string): TreeNode | null {
  if (node.path === path) return node;
  for (const child of node.children ?? []) {
    if (child.path !== path && !path.startsWith(`${child.path}/`)) continue;
    const found = find(child, path);
    if (found) return found;
  }
  return null;
}

/** The assets at and under a node, at most `most`. */
export function assetsUnder(node: TreeNode, most: number): TreeNode[] {
  const out: TreeNode[] = [];
  const visit = (at: TreeNode): void => {
    if (out.length >= most) return;
    if (at.kind === "asset") out.push(at);
    for (const child of at.children ?? []) visit(child);
  };
  visit(node);
  return out;
}

export function countAssets(node: TreeNode): number {
  let n = node.kind === "asset" ? 1 : 0;
  for (const child of node.children ?? []) n += countAssets(child);
  return n;
}

/** The first node, going down, with something to choose: an enterprise of one site begins at the site. */
export function singled(node: TreeNode): TreeNode {
  const only = node.children?.length === 1 ? node.children[0] : undefined;
  return only && only.kind !== "asset" && node.kind === "enterprise" ? singled(only) : node;
}

/** The nodes from the root to a path. */
export function trail(node: TreeNode, path: string): TreeNode[] {
  if (node.path === path) return [node];
  const next = (node.children ?? []).find((child) => child.path === path || path.startsWith(`${child.path}/`));
  return next ? [node, ...trail(next, path)] : [node];
}
