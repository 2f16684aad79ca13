/** Where one is in the plant, and the way up. */

import { nameText } from "../format";
import { toHash } from "../route/route";
import { trail } from "../tree/branches";
import { branches, root } from "../tree/known";

export function Breadcrumb({ path }: { path: string }) {
  if (!root.value) return null;
  const steps = trail(branches.value, root.value.path, path);
  return (
    <nav class="breadcrumb" aria-label="Where">
      {steps.map((node, i) => {
        const title = node.title || nameText(node.name);
        const here = i === steps.length - 1;
        return here ? (
          <h1 key={node.path}>{title}</h1>
        ) : (
          <a key={node.path} href={toHash(node.kind === "asset" ? "asset" : "overview", node.path)}>
            {title}
          </a>
        );
      })}
    </nav>
  );
}
