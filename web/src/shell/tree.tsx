/** The plant by ISA-95 level. Only open branches are asked for and in the page, so that a million assets stay light. */

import { computed, signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import type { TreeNode } from "../api/types";
import { More } from "../parts/more";
import { route } from "../route/current";
import { pinned, within } from "../tree/branches";
import { branches, reveal, root } from "../tree/known";
import { useBranch } from "../tree/use-branch";
import { NodeLink } from "./node-link";
import { FoundAssets, TreeSearch } from "./tree-search";

/** A small plant is opened as a whole. */
const SMALL = 40;

/** What somebody opened or closed by hand; the rest is as `isOpen` has it. */
const chosen = signal<ReadonlyMap<string, boolean>>(new Map());
const few = computed(() => (root.value?.assets ?? Number.POSITIVE_INFINITY) <= SMALL);

function isOpen(node: TreeNode, depth: number): boolean {
  const leads = within(route.value.path, node.path);
  const small = depth < 1 || (few.value && depth < 6);
  return chosen.value.get(node.path) ?? (leads || small);
}

function Line({ node, depth }: { node: TreeNode; depth: number }) {
  const open = node.count > 0 && isOpen(node, depth);
  const flip = (): void => {
    chosen.value = new Map(chosen.value).set(node.path, !open);
  };
  return (
    <li>
      <div class="branch" data-kind={node.kind}>
        {node.count > 0 ? (
          <button type="button" class="twist" aria-expanded={open} aria-label={`Open ${node.name}`} onClick={flip}>
            <svg viewBox="0 0 10 10" aria-hidden="true">
              <path d={open ? "M1 3l4 4 4-4" : "M3 1l4 4-4 4"} />
            </svg>
          </button>
        ) : (
          <span class="twist" />
        )}
        <NodeLink node={node} note={node.kind === "asset" ? "" : node.kind} />
      </div>
      {open && <Children path={node.path} depth={depth + 1} />}
    </li>
  );
}

/** What stands directly below a node, as far as it was asked for; the one that leads to what is looked at in any case. */
function Children({ path, depth }: { path: string; depth: number }) {
  const { branch, left, problem, more } = useBranch(path);
  if (!branch) return problem ? <p role="alert">{problem}</p> : <p class="quiet">Asking…</p>;
  const here = left > 0 ? pinned(branches.value, branch, route.value.path) : null;
  return (
    <ul>
      {branch.children.map((child) => (
        <Line key={child.path} node={child} depth={depth} />
      ))}
      {left > 0 && (
        <li>
          <More left={left} shown={branch.children.length} onMore={more} />
          {problem && <p role="alert">{problem}</p>}
        </li>
      )}
      {here && <Line key={here.path} node={here} depth={depth} />}
    </ul>
  );
}

/** Opens the way to what is looked at, and asks for it; again where another plant file has come into force. */
function useWay(): void {
  const [path = ""] = route.value.path.split("+"); // a what-if may be about several
  useEffect(() => {
    const kept = [...chosen.peek()].filter(([closed, open]) => open || !within(path, closed));
    chosen.value = new Map(kept);
  }, [path]);
  useEffect(() => {
    if (path && root.value) reveal(path).catch(() => undefined); // what is not there is told by its view
  }, [path, root.value]);
}

export function Tree() {
  const narrow = useSignal(false);
  const search = useSignal("");
  useWay();
  return (
    <aside class={narrow.value ? "tree open" : "tree"}>
      <button
        type="button"
        class="tree-toggle"
        aria-expanded={narrow.value}
        onClick={() => (narrow.value = !narrow.value)}
      >
        Plant
      </button>
      <nav aria-label="Plant">
        <TreeSearch text={search} />
        {search.value.trim() !== "" ? (
          <FoundAssets text={search.value.trim()} />
        ) : root.value ? (
          <ul>
            <Line node={root.value} depth={0} />
          </ul>
        ) : (
          <p class="quiet">Asking for the plant…</p>
        )}
      </nav>
    </aside>
  );
}
