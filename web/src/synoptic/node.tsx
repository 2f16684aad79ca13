/** One asset in the picture: its symbol, its name, its values with quality and age, its worst alarm. */

import { useRef } from "preact/hooks";

import { worstByAsset } from "../alarms";
import type { Asset, SignalInfo } from "../api/types";
import { nameText } from "../format";
import { AlarmGlyph, priorityWord } from "../parts/alarm-shape";
import { cellText } from "../parts/live-value";
import { useLive } from "../parts/use-live";
import { toHash } from "../route/route";
import { keySignals, meansRunning, runningSignal, symbolFor } from "./choose";
import type { Box, Placed } from "./layout";
import { Equipment, SYMBOL, TANK } from "./symbol";
import { Tile, tileHeight, WIDTH } from "./tile";

const TITLE = 22;
const STUB = (WIDTH - SYMBOL.width) / 2;
const PAD = 8;

export function boxOf(asset: Asset): Box {
  return {
    id: asset.path,
    width: WIDTH,
    height: TITLE + SYMBOL.height + PAD + tileHeight(keySignals(asset).length),
    port: TITLE + SYMBOL.height / 2,
  };
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

interface NodeProps {
  asset: Asset;
  place: Placed;
  /** Whether a line of the picture comes in, goes out. */
  fed: boolean;
  feeds: boolean;
}

export function Node({ asset, place, fed, feeds }: NodeProps) {
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
      data-asset={asset.path}
      data-symbol={symbol}
    >
      <rect class="hit" x="-6" y="-4" width={WIDTH + 12} height={place.height + 8} rx="8" />
      <text class="name" x={WIDTH / 2} y="14" text-anchor="middle">
        {title}
      </text>
      {fed && <path class="pipe-end" d={`M0 ${place.port}h${STUB}`} />}
      {feeds && <path class="pipe-end" d={`M${WIDTH - STUB} ${place.port}h${STUB}`} />}
      <g class="equipment" transform={`translate(${(WIDTH - SYMBOL.width) / 2} ${TITLE})`}>
        <Equipment name={symbol} />
        {level && <Level signal={level} />}
      </g>
      <g transform={`translate(0 ${top})`}>
        <Tile signals={signals} />
      </g>
      {alarm && (
        <g transform={`translate(${WIDTH - 34} ${TITLE - 2})`}>
          <title>{priorityWord(alarm.priority)}</title>
          <AlarmGlyph priority={alarm.priority} state={alarm.state} />
        </g>
      )}
    </a>
    </g>
  );
}
