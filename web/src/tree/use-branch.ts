/** The children of a node, for whoever shows them: asked for when it is first shown, and the next on demand. */

import { computed, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";

import { words } from "../api/http";
import type { Branch } from "./branches";
import { askChildren, branches } from "./known";

export interface Shown {
  /** What is known of it; undefined until it was answered. */
  branch: Branch | undefined;
  /** How many children are not given yet. */
  left: number;
  problem: string;
  more(): void;
}

export function useBranch(path: string): Shown {
  const branch = useMemo(() => computed(() => branches.value.get(path)), [path]).value;
  const problem = useSignal("");
  const more = (): void => {
    askChildren(path).then(
      () => (problem.value = ""),
      (error: unknown) => (problem.value = words(error)),
    );
  };
  useEffect(() => {
    if (!branch) more();
  }, [path, branch === undefined]);
  return { branch, left: branch ? branch.node.count - branch.children.length : 0, problem: problem.value, more };
}
