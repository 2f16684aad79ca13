/** A part of the plant that is too large for one picture: its parts, with how much is in them and how they are. */

import { listed } from "../alarm-order";
import { alarms } from "../alarms";
import type { TreeNode } from "../api/types";
import { nameText } from "../format";
import { AlarmShape, PRIORITIES } from "../parts/alarm-shape";
import { toHash } from "../route/route";
import { countAssets } from "../tree";

const SHOWN = 60;

function Part({ node }: { node: TreeNode }) {
  const n = countAssets(node);
  const inside = alarms.value.filter((alarm) => listed(alarm) && alarm.asset.startsWith(node.path));
  return (
    <a class="card part" href={toHash(node.kind === "asset" ? "asset" : "overview", node.path)}>
      <span class="card-name">
        <b>{node.title || nameText(node.name)}</b> {node.kind}
      </span>
      {node.kind !== "asset" && <span>{n} assets</span>}
      <span class="part-alarms">
        {PRIORITIES.map((priority) => {
          const found = inside.filter((alarm) => alarm.priority === priority).length;
          return found === 0 ? null : (
            <span key={priority} class="count">
              <AlarmShape priority={priority} state="acknowledged" />
              <b>{found}</b>
            </span>
          );
        })}
      </span>
    </a>
  );
}

export function Parts({ node }: { node: TreeNode }) {
  const children = node.children ?? [];
  return (
    <>
      <div class="cards">
        {children.slice(0, SHOWN).map((child) => (
          <Part key={child.path} node={child} />
        ))}
      </div>
      {children.length > SHOWN && (
        <p class="quiet">
          {SHOWN} of {children.length} parts are shown here; the tree on the left has them all.
        </p>
      )}
    </>
  );
}
