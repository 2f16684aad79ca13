/** A part of the plant that is too large for one picture: its parts, with how much is in them and how they are. */

import { listed } from "../alarm-order";
import { alarms } from "../alarms";
import type { TreeNode } from "../api/types";
import { nameText, numberText } from "../format";
import { AlarmShape, PRIORITIES } from "../parts/alarm-shape";
import { More } from "../parts/more";
import { toHash } from "../route/route";
import { within } from "../tree/branches";
import { useBranch } from "../tree/use-branch";

function Part({ node }: { node: TreeNode }) {
  const inside = alarms.value.filter((alarm) => listed(alarm) && within(alarm.asset, node.path));
  return (
    <a class="card part" href={toHash(node.kind === "asset" ? "asset" : "overview", node.path)}>
      <span class="card-name">
        <b>{node.title || nameText(node.name)}</b> {node.kind}
      </span>
      {node.kind !== "asset" && (
        <span>
          {numberText(node.assets, 0)} {node.assets === 1 ? "asset" : "assets"}
        </span>
      )}
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
  const { branch, left, problem, more } = useBranch(node.path);
  const children = branch?.children ?? [];
  return (
    <>
      <p class="quiet">
        {numberText(node.assets, 0)} assets in {numberText(node.count, 0)} parts
      </p>
      <div class="cards">
        {children.map((child) => (
          <Part key={child.path} node={child} />
        ))}
      </div>
      {problem && <p role="alert">{problem}</p>}
      {left > 0 && <More left={left} shown={children.length} onMore={more} />}
    </>
  );
}
