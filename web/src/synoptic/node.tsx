/** One asset in the picture: its symbol, its name, its values with quality and age, its worst alarm. */

import { useRef } from "preact/hooks";

import { worstByAsset } from "../alarms";
import type { Asset, SignalInfo } from "../api/types";
import { ageText, nameText, unitText } from "../format";
import { AlarmGlyph } from "../parts/alarm-shape";
import { cellText } from "../parts/live-value";
import { SHAPE } from "../parts/quality-mark";
import { useLive } from "../parts/use-live";
import { toHash } from "../route/route";
import { keySignals, meansRunning, runningSignal, symbolFor } from "./choose";
import type { Box, Placed } from "./layout";
import { Equipment, SYMBOL, TANK } from "./symbol";

const WIDTH = 208;
const TITLE = 22;
const ROW = 21;
const PAD = 8;

export function boxOf(asset: Asset): Box {
  const rows = Math.max(1, keySignals(asset).length);
  return {
    id: asset.path,
    width: WIDTH,
    height: TITLE + SYMBOL.height + 2 * PAD + rows * ROW,
    port: TITLE + SYMBOL.height / 2,
  };
}

/** One line of the tile. Age is written where it says something: when the value is not fresh. */
function Row({ signal, y }: { signal: SignalInfo; y: number }) {
  const group = useRef<SVGGElement>(null);
  const text = useRef<SVGTextElement>(null);
  const mark = useRef<SVGPathElement>(null);
  const note = useRef<SVGTextElement>(null);
  useLive(signal.path, (cell) => {
    if (!group.current || !text.current || !note.current) return;
    const plain = `${cellText(cell, signal)} ${unitText(signal.unit)}`;
    if (text.current.textContent !== plain) text.current.textContent = plain;
    if (group.current.dataset.quality !== cell.quality) {
      group.current.dataset.quality = cell.quality;
      mark.current?.setAttribute("d", SHAPE[cell.quality]);
    }
    const age = Number.isFinite(cell.age) ? ` ${ageText(cell.age)}` : "";
    const said = cell.quality === "good" ? "" : cell.quality + (cell.quality === "stale" ? age : "");
    const words = said || nameText(signal.name);
    if (note.current.textContent !== words) note.current.textContent = words;
  });
  return (
    <g class="row" ref={group} data-quality="none" data-signal={signal.path} transform={`translate(0 ${y})`}>
      <title>{nameText(signal.name)}</title>
      <g class="quality" transform="translate(8 4)">
        <path ref={mark} d={SHAPE.none} />
      </g>
      <text class="label" x="28" y="15" ref={note}>
        {nameText(signal.name)}
      </text>
      <text class="number" x={WIDTH - 8} y="15" text-anchor="end" ref={text}>
        –
      </text>
    </g>
  );
}

function Level({ signal }: { signal: SignalInfo }) {
  const liquid = useRef<SVGRectElement>(null);
  const [low, high] = [signal.range?.[0] ?? 0, signal.range?.[1] ?? 100];
  const share = (value: number): number => Math.min(1, Math.max(0, (value - low) / (high - low || 1)));
  useLive(signal.path, (cell) => {
    const height = Number.isFinite(cell.value) ? share(cell.value) * (TANK.height - 4) : 0;
    liquid.current?.setAttribute("height", height.toFixed(1));
    liquid.current?.setAttribute("y", (TANK.y + TANK.height - 2 - height).toFixed(1));
  });
  const limits = Object.values(signal.alarm ?? {}).filter((limit): limit is number => limit != null);
  return (
    <>
      <rect class="liquid" ref={liquid} x={TANK.x + 2} width={TANK.width - 4} y="0" height="0" rx="3" />
      {limits.map((limit) => {
        const y = TANK.y + TANK.height - 2 - share(limit) * (TANK.height - 4);
        return <path key={limit} class="tick" d={`M${TANK.x + TANK.width - 10} ${y}h10`} />;
      })}
    </>
  );
}

export function Node({ asset, place }: { asset: Asset; place: Placed }) {
  const symbol = symbolFor(asset.type, asset.name);
  const signals = keySignals(asset);
  const running = runningSignal(asset);
  const level = symbol === "tank" ? asset.signals.find((signal) => /level|volume/.test(signal.name)) : undefined;
  const frame = useRef<Element | null>(null);
  useLive(running?.path, (cell) => {
    const word = running ? cellText(cell, running) : "";
    frame.current?.setAttribute("data-running", String(meansRunning(word)));
  });
  const alarm = worstByAsset.value.get(asset.path);
  const title = asset.title || nameText(asset.name);
  const top = TITLE + SYMBOL.height + PAD;
  return (
    <g transform={`translate(${place.x} ${place.y})`}>
    <a
      ref={(element) => void (frame.current = element)}
      class="node"
      href={toHash("asset", asset.path)}
      aria-label={alarm ? `${title}, alarm of priority ${alarm.priority}` : title}
      data-asset={asset.path}
      data-symbol={symbol}
    >
      <rect class="hit" x="-6" y="-4" width={WIDTH + 12} height={place.height + 8} rx="8" />
      <text class="name" x={WIDTH / 2} y="14" text-anchor="middle">
        {title}
      </text>
      <path class="pipe-end" d={`M0 ${place.port}h${WIDTH}`} />
      <g class="equipment" transform={`translate(${(WIDTH - SYMBOL.width) / 2} ${TITLE})`}>
        <Equipment name={symbol} />
        {level && <Level signal={level} />}
      </g>
      <g transform={`translate(0 ${top})`}>
        <rect class="tile" width={WIDTH} height={Math.max(1, signals.length) * ROW + PAD - 2} rx="4" />
        {signals.map((signal, i) => (
          <Row key={signal.path} signal={signal} y={3 + i * ROW} />
        ))}
        {signals.length === 0 && (
          <text class="label" x="8" y="18">
            no analogue values
          </text>
        )}
      </g>
      {alarm && (
        <g transform={`translate(${WIDTH - 34} ${TITLE - 2})`}>
          <AlarmGlyph priority={alarm.priority} state={alarm.state} />
        </g>
      )}
    </a>
    </g>
  );
}
