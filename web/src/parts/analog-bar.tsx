/** An analogue value in its context: where it stands in its range, its normal band, its limits. */

import { useRef } from "preact/hooks";

import type { AlarmLimits, SignalInfo } from "../api/types";
import { decimalsFor, numberText } from "../format";
import { beyond, placeOf } from "./bar-place";
import { useLive } from "./use-live";

const LEVELS: readonly (readonly [keyof AlarmLimits, string])[] = [
  ["low_low", "LL"],
  ["low", "L"],
  ["high", "H"],
  ["high_high", "HH"],
];

export function AnalogBar({ signal }: { signal: SignalInfo }) {
  const pointer = useRef<HTMLSpanElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const [low, high] = [signal.range?.[0] ?? null, signal.range?.[1] ?? null];
  useLive(signal.path, (cell) => {
    if (!pointer.current || !frame.current || low === null || high === null) return;
    const seen = Number.isFinite(cell.value);
    pointer.current.hidden = !seen;
    if (seen) pointer.current.style.left = `${placeOf(cell.value, low, high)}%`;
    frame.current.dataset.quality = cell.quality;
    frame.current.dataset.beyond = String(seen && beyond(cell.value, signal.alarm));
  });
  if (low === null || high === null || signal.kind === "state") return <div class="bar empty" />;
  const at = (value: number) => placeOf(value, low, high);
  const [from, to] = [signal.normal?.[0] ?? null, signal.normal?.[1] ?? null];
  const decimals = Math.max(0, decimalsFor(signal.range) - 1);
  return (
    <div class="bar" ref={frame} title={`range ${numberText(low, decimals)} to ${numberText(high, decimals)}`}>
      {from !== null && to !== null && (
        <span class="normal" style={{ left: `${at(from)}%`, width: `${at(to) - at(from)}%` }} />
      )}
      {LEVELS.map(([level, short]) => {
        const limit = signal.alarm?.[level];
        return limit == null ? null : (
          <span key={level} class="limit" style={{ left: `${at(limit)}%` }} title={`${short} ${limit}`} />
        );
      })}
      <span class="pointer" ref={pointer} hidden />
    </div>
  );
}
