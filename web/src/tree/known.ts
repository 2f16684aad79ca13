/** Asks for the hierarchy piece by piece: its top when the page begins, children when a node is opened, more on scrolling. */

import { batch, computed, signal } from "@preact/signals";

import { get } from "../api/http";
import type { Piece, TreeNode } from "../api/types";
import { type Branches, laid, nodeAt, prefixes, singled } from "./branches";

/** Nodes asked for at first: a small plant as a whole. */
const FIRST = 300;
const DEEPEST = 64;
/** Children asked for at once. */
const SLICE = 100;

export const branches = signal<Branches>(new Map());
const rootPath = signal<string | null>(null);
const asking = new Map<string, Promise<void>>();
let turn = 0;

/** Where the tree begins; null until it was answered. */
export const root = computed<TreeNode | null>(() => {
  const enterprise = rootPath.value === null ? null : nodeAt(branches.value, rootPath.value);
  return enterprise && singled(branches.value, enterprise);
});

/** Asks for the top of the tree; what was known of a plant before is forgotten. */
export async function askTree(): Promise<void> {
  const mine = ++turn;
  const piece = await get<Piece>("tree", { depth: DEEPEST, limit: FIRST });
  if (mine !== turn) return;
  asking.clear();
  batch(() => {
    branches.value = laid(new Map(), piece);
    rootPath.value = piece.path;
  });
}

/** Asks for the children of a node, or for the next of them; does nothing where all are there. */
export function askChildren(path: string): Promise<void> {
  let asked = asking.get(path);
  if (asked === undefined) {
    asked = askOnce(path).finally(() => asking.delete(path));
    asking.set(path, asked);
  }
  return asked;
}

async function askOnce(path: string): Promise<void> {
  const known = branches.peek().get(path);
  if (known && known.children.length >= known.node.count) return;
  const [mine, after] = [turn, known?.next ?? null];
  const piece = await get<Piece>("tree", { under: path, limit: SLICE, after: after ?? undefined });
  if (mine === turn) branches.value = laid(branches.peek(), piece, after);
}

/** Makes a node known, and those that lead to it; a Problem (404) where there is none of that path. */
export async function reveal(path: string): Promise<void> {
  const known = branches.peek();
  const lacking = prefixes(path).filter((prefix) => nodeAt(known, prefix) === null);
  await Promise.all(lacking.map(askChildren));
}
