/** The tile under a symbol: a line per value with mark, name, word of quality, number; and how old they are. */

import { useRef } from "preact/hooks";

import type { SignalInfo } from "../api/types";
import { ageText, nameText, unitText } from "../format";
import { cells } from "../live/live";
import { cellText } from "../parts/live-value";
import { SHAPE } from "../parts/quality-mark";
import { useLive } from "../parts/use-live";

export const WIDTH = 212;
const ROW = 26;
const FOOT = 20;
const LABEL = 16;

export function tileHeight(rows: number): number {
  return Math.max(1, rows) * ROW + (rows > 0 ? FOOT : 0) + 6;
}

/** A name that fits beside a number: of a long one, the last word (`discharge_pressure` is a pressure). */
function shortName(name: string): string {
  return name.length <= LABEL ? nameText(name) : (nameText(name).split(" ").pop() ?? name);
}

function Row({ signal, y }: { signal: SignalInfo; y: number }) {
  const group = useRef<SVGGElement>(null);
  const text = useRef<SVGTextElement>(null);
  const mark = useRef<SVGPathElement>(null);
  const word = useRef<SVGTextElement>(null);
  useLive(signal.path, (cell) => {
    if (!group.current || !text.current || !word.current) return;
    const plain = `${cellText(cell, signal)} ${unitText(signal.unit)}`;
    if (text.current.textContent !== plain) text.current.textContent = plain;
    if (group.current.dataset.quality === cell.quality) return;
    group.current.dataset.quality = cell.quality;
    mark.current?.setAttribute("d", SHAPE[cell.quality]);
    word.current.textContent = cell.quality;
  });
  return (
    <g class="row" ref={group} data-quality="none" data-signal={signal.path} transform={`translate(0 ${y})`}>
      <title>{nameText(signal.name)}</title>
      <g class="quality" transform="translate(8 6)">
        <path ref={mark} d={SHAPE.none} />
      </g>
      <text class="label" x="28" y="17">
        {shortName(signal.name)}
      </text>
      <text class="word" x="28" y="24" ref={word}>
        none
      </text>
      <text class="number" x={WIDTH - 8} y="18" text-anchor="end" ref={text}>
        –
      </text>
    </g>
  );
}

/** The age of the oldest of the values shown. */
function Foot({ signals, y }: { signals: readonly SignalInfo[]; y: number }) {
  const text = useRef<SVGTextElement>(null);
  useLive(signals[0]?.path, () => {
    const ages = signals.map((signal) => cells.peek(signal.path)?.age ?? Number.NaN);
    const oldest = ages.some(Number.isNaN) ? Number.NaN : Math.max(...ages);
    const plain = Number.isNaN(oldest) ? "age not known" : `${ageText(oldest)} old`;
    if (text.current && text.current.textContent !== plain) text.current.textContent = plain;
  });
  return <text class="foot" x={WIDTH - 8} y={y} text-anchor="end" ref={text} />;
}

export function Tile({ signals }: { signals: readonly SignalInfo[] }) {
  return (
    <>
      <rect class="tile" width={WIDTH} height={tileHeight(signals.length)} rx="4" />
      {signals.map((signal, i) => (
        <Row key={signal.path} signal={signal} y={3 + i * ROW} />
      ))}
      {signals.length === 0 ? (
        <text class="label" x="8" y="20">
          no analogue values
        </text>
      ) : (
        <Foot signals={signals} y={3 + signals.length * ROW + 14} />
      )}
    </>
  );
}
