/** The value of a signal now, with its unit, decimals aligned; and its age. */

import { useRef } from "preact/hooks";

import type { SignalInfo } from "../api/types";
import { ageText, decimalsFor, numberText, padDecimals, unitText } from "../format";
import type { Cell } from "../live/cells";
import { useLive } from "./use-live";

/** What stands for a cell: the state's word, or the number without its unit. */
export function cellText(cell: Cell, signal: SignalInfo): string {
  if (!Number.isFinite(cell.value)) return "–";
  if (signal.kind === "state") return signal.states?.[Math.round(cell.value)] ?? String(cell.value);
  return numberText(cell.value, decimalsFor(signal.range));
}

interface Props {
  signal: SignalInfo;
  /** Most decimals of the column this stands in, to align by; none leaves it as it is. */
  widest?: number;
}

export function LiveValue({ signal, widest }: Props) {
  const frame = useRef<HTMLSpanElement>(null);
  const text = useRef<HTMLSpanElement>(null);
  const decimals = signal.kind === "state" ? 0 : decimalsFor(signal.range);
  useLive(signal.path, (cell) => {
    if (!frame.current || !text.current) return;
    const plain = cellText(cell, signal);
    const aligned = widest === undefined || signal.kind === "state" ? plain : padDecimals(plain, decimals, widest);
    if (text.current.textContent !== aligned) text.current.textContent = aligned;
    frame.current.dataset.quality = cell.quality;
  });
  return (
    <span class="value" ref={frame} data-signal={signal.path} data-quality="none">
      <span class="number" ref={text}>
        –
      </span>
      <span class="unit">{unitText(signal.unit)}</span>
    </span>
  );
}

export function LiveAge({ path }: { path: string }) {
  const text = useRef<HTMLSpanElement>(null);
  useLive(path, (cell) => {
    const plain = ageText(cell.age);
    if (text.current && text.current.textContent !== plain) text.current.textContent = plain;
  });
  return (
    <span class="age" ref={text}>
      –
    </span>
  );
}
