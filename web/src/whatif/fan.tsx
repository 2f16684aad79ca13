/** A fan over time: the middle as a line, the outer and inner band around it; the baseline in grey, scenarios in dashes. */

import { unitText } from "../format";
import { round } from "./draft";

export interface Fan {
  name: string;
  /** Of the bands' values, from the beginning on [s]. */
  times: readonly number[];
  /** By quantile, ascending; the middle one is the median. */
  bands: (number | null)[][];
}

interface Props {
  quantity: string;
  unit: string;
  fans: Fan[];
}

const WIDTH = 640;
const HEIGHT = 190;
const LEFT = 62;
const BOTTOM = 22;
const TOP = 8;
export const DASHES = ["", "7 4", "2 3", "11 3 2 3", "5 2", "1 4"];

function span(fans: Fan[]): [number, number] {
  const all = fans.flatMap((fan) => fan.bands.flat()).filter((v): v is number => v !== null && Number.isFinite(v));
  if (!all.length) return [0, 1];
  const low = Math.min(...all);
  const high = Math.max(...all);
  const room = (high - low || Math.abs(high) * 0.01 || 1) * 0.06;
  return [low - room, high + room];
}

/** Gives round values between two, each with as many digits as tell it from the next. */
export function ticks(low: number, high: number): [number, string][] {
  const part = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(part));
  const step = power * ([1, 2, 5, 10].find((times) => times * power >= part * 0.999) ?? 10);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const first = Math.ceil(low / step);
  const found = Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
  const plain = Math.max(Math.abs(low), Math.abs(high)) < 1e6 && step >= 1e-4;
  return found.map((value) => [value, plain ? value.toFixed(digits) : value === 0 ? "0" : value.toExponential(2)]);
}

export function FanChart({ quantity, unit, fans }: Props) {
  const [low, high] = span(fans);
  const end = Math.max(...fans.map(({ times }) => times[times.length - 1] ?? 0)) || 1;
  const x = (t: number): number => LEFT + (t / end) * (WIDTH - LEFT - 8);
  const y = (v: number): number => TOP + (1 - (v - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  const line = (times: readonly number[], values: (number | null)[]): string =>
    values.map((v, i) => (v === null ? "" : `${i && values[i - 1] !== null ? "L" : "M"}${x(times[i] ?? 0).toFixed(1)} ${y(v).toFixed(1)}`)).join("");
  const area = (times: readonly number[], from: (number | null)[], to: (number | null)[]): string => {
    const back = to.map((v, i) => [x(times[i] ?? 0), y(v ?? low)] as const).reverse();
    return `${line(times, from)}${back.map(([a, b]) => `L${a.toFixed(1)} ${b.toFixed(1)}`).join("")}Z`;
  };
  const hours = end / 3600;
  const days = hours > 72;
  return (
    <figure class="fan" data-quantity={quantity}>
      <figcaption>
        {quantity} <span class="quiet">{unitText(unit)}</span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`What if: ${quantity} over time; the table below says the same.`}>
        <text class="watermark" x={WIDTH / 2} y={HEIGHT / 2 + 6} text-anchor="middle" aria-hidden="true">
          WHAT IF
        </text>
        {ticks(low, high).map(([value, label]) => (
          <g key={value}>
            <path class="grid" d={`M${LEFT} ${y(value)}H${WIDTH - 8}`} />
            <text x={LEFT - 6} y={y(value) + 4} text-anchor="end">
              {label}
            </text>
          </g>
        ))}
        {[0, 0.25, 0.5, 0.75, 1].map((part) => (
          <text key={part} x={x(part * end)} y={HEIGHT - 5} text-anchor={part === 0 ? "start" : part === 1 ? "end" : "middle"}>
            {`+${round(days ? (part * hours) / 24 : part * hours)} ${days ? "d" : "h"}`}
          </text>
        ))}
        {fans.map((fan, i) => {
          const last = fan.bands.length - 1;
          return (
            <g key={fan.name} class={`fan-${i}`} data-scenario={fan.name}>
              {last >= 2 && <path class="outer" d={area(fan.times, fan.bands[0] ?? [], fan.bands[last] ?? [])} />}
              {last >= 4 && <path class="inner" d={area(fan.times, fan.bands[1] ?? [], fan.bands[last - 1] ?? [])} />}
              <path class="median" d={line(fan.times, fan.bands[last >> 1] ?? [])} stroke-dasharray={DASHES[i]} />
            </g>
          );
        })}
      </svg>
    </figure>
  );
}

export function FanKey({ fans }: { fans: readonly { name: string }[] }) {
  return (
    <ul class="fan-key">
      {fans.map((fan, i) => (
        <li key={fan.name}>
          <svg viewBox="0 0 34 10" width="34" height="10" aria-hidden="true" class={`fan-${i}`}>
            <path class="median" d="M0 5h34" stroke-dasharray={DASHES[i]} />
          </svg>
          {fan.name}
        </li>
      ))}
      <li class="quiet">line: median; bands: 50 and 90 % of the members</li>
    </ul>
  );
}
