/** The plant by ISA-95 level. Only open branches are in the page, so that ten thousand assets stay light. */

import { computed, signal, useSignal } from "@preact/signals";

import type { TreeNode } from "../api/types";
import { worstByAsset } from "../alarms";
import { nameText } from "../format";
import { AlarmShape } from "../parts/alarm-shape";
import { tree } from "../plant";
import { route } from "../route/current";
import { toHash } from "../route/route";
import { countAssets, singled } from "../tree";

/** Children shown at once; more are asked for by a button. */
const SLICE = 100;

const opened = signal<ReadonlySet<string>>(new Set());

/** A small plant is opened as a whole. */
const few = computed(() => tree.value !== null && countAssets(tree.value) <= 40);

function toggle(path: string, open: boolean): void {
  const next = new Set(opened.value);
  if (open) next.add(path);
  else next.delete(path);
  opened.value = next;
}

function isOpen(node: TreeNode, depth: number): boolean {
  const here = route.value.path;
  const leads = here === node.path || here.startsWith(`${node.path}/`);
  const small = depth < 1 || (few.value && depth < 6);
  const toggled = opened.value.has(node.path);
  return leads || small ? !toggled : toggled;
}

/** Worst active alarm under a path, so that a closed branch still tells. */
function Mark({ path }: { path: string }) {
  let worst: number | null = null;
  for (const [asset, alarm] of worstByAsset.value) {
    if (asset !== path && !asset.startsWith(`${path}/`)) continue;
    worst = worst === null ? alarm.priority : Math.min(worst, alarm.priority);
  }
  return worst === null ? null : <AlarmShape priority={worst} state="acknowledged" />;
}

function Branch({ node, depth }: { node: TreeNode; depth: number }) {
  const shown = useSignal(SLICE);
  const children = node.children ?? [];
  const open = children.length > 0 && isOpen(node, depth);
  const asset = node.kind === "asset";
  const here = route.value.path === node.path;
  const flip = (): void => toggle(node.path, !opened.value.has(node.path));
  return (
    <li>
      <div class="branch" data-kind={node.kind}>
        {children.length > 0 ? (
          <button type="button" class="twist" aria-expanded={open} aria-label={`Open ${node.name}`} onClick={flip}>
            <svg viewBox="0 0 10 10" aria-hidden="true">
              <path d={open ? "M1 3l4 4 4-4" : "M3 1l4 4-4 4"} />
            </svg>
          </button>
        ) : (
          <span class="twist" />
        )}
        <a href={toHash(asset ? "asset" : "overview", node.path)} aria-current={here ? "page" : undefined}>
          {node.title || nameText(node.name)}
          {!asset && <small>{node.kind}</small>}
        </a>
        <Mark path={node.path} />
      </div>
      {open && (
        <ul>
          {children.slice(0, shown.value).map((child) => (
            <Branch key={child.path} node={child} depth={depth + 1} />
          ))}
          {children.length > shown.value && (
            <li>
              <button type="button" class="plain more" onClick={() => (shown.value += SLICE)}>
                {children.length - shown.value} more
              </button>
            </li>
          )}
        </ul>
      )}
    </li>
  );
}

export function Tree() {
  const narrow = useSignal(false);
  const root = tree.value;
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
        {root ? (
          <ul>
            <Branch node={singled(root)} depth={0} />
          </ul>
        ) : (
          <p class="quiet">Asking for the plant…</p>
        )}
      </nav>
    </aside>
  );
}
