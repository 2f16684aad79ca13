/** A node of the plant as one goes to it: its title, what it is, and the worst alarm under it. */

import type { TreeNode } from "../api/types";
import { worstByAsset } from "../alarms";
import { nameText } from "../format";
import { AlarmShape } from "../parts/alarm-shape";
import { route } from "../route/current";
import { toHash } from "../route/route";
import { within } from "../tree/branches";

/** Worst active alarm under a path, so that a closed branch still tells. */
function Mark({ path }: { path: string }) {
  let worst: number | null = null;
  for (const [asset, alarm] of worstByAsset.value) {
    if (within(asset, path)) worst = worst === null ? alarm.priority : Math.min(worst, alarm.priority);
  }
  return worst === null ? null : <AlarmShape priority={worst} state="acknowledged" />;
}

interface Props {
  node: Pick<TreeNode, "path" | "name" | "title" | "kind">;
  /** What stands beside it in small letters. */
  note: string;
}

export function NodeLink({ node, note }: Props) {
  return (
    <>
      <a
        href={toHash(node.kind === "asset" ? "asset" : "overview", node.path)}
        aria-current={route.value.path === node.path ? "page" : undefined}
      >
        {node.title || nameText(node.name)}
        {note && <small>{note}</small>}
      </a>
      <Mark path={node.path} />
    </>
  );
}
