/** An alarm's priority as colour, shape and number, so that none of them is needed alone. */

import type { AlarmState } from "../api/types";

export const PRIORITIES = [1, 2, 3] as const;

const OUTLINE: Record<number, string> = {
  1: "M2 2h20v20H2z",
  2: "M12 1.5 23 22H1z",
  3: "M12 2a10 10 0 1 0 .01 0z",
};
const WORD: Record<number, string> = { 1: "urgent", 2: "high", 3: "low" };

export function priorityWord(priority: number): string {
  return `priority ${priority}, ${WORD[priority] ?? ""}`;
}

interface Props {
  priority: number;
  state: AlarmState;
}

/** A drawing for inside another SVG (24 × 24) or, through AlarmShape, on its own. */
export function AlarmGlyph({ priority, state }: Props) {
  return (
    <g class="alarm-glyph" data-priority={priority} data-state={state}>
      <path d={OUTLINE[priority] ?? OUTLINE[3]} />
      <text x="12" y={priority === 2 ? 19.5 : 17} text-anchor="middle">
        {priority}
      </text>
    </g>
  );
}

export function AlarmShape({ priority, state }: Props) {
  return (
    <svg class="alarm-shape" viewBox="0 0 24 24" role="img" aria-label={priorityWord(priority)}>
      <AlarmGlyph priority={priority} state={state} />
    </svg>
  );
}
