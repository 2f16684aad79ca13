/** The fan of a degradation up to its threshold: what the indicator showed, what is to come, and when it will have failed. */

import { lastPart } from "../format";
import { round } from "../whatif/draft";
import { daysText } from "./words";
import { DAY_S, type LifeFuture, type LifeResult } from "./types";

const WIDTH = 720;
const HEIGHT = 260;
const LEFT = 58;
const BOTTOM = 24;
const TOP = 30;
const RIGHT = 12;

interface Frame {
  x(seconds: number): number;
  y(value: number): number;
  from: number;
  to: number;
  low: number;
  high: number;
}

/** Looks a little beyond the latest likely end, and as far back as the indicator goes, but not much further than ahead. */
function frame(result: LifeResult, shown: readonly LifeFuture[]): Frame {
  const ends = shown.flatMap((f) => Object.values(f.event)).filter((s): s is number => s !== null);
  const to = Math.min(result.horizon_s, ends.length ? Math.max(...ends) * 1.12 : result.horizon_s) || DAY_S;
  const from = Math.max(result.past.times_s[0] ?? 0, -to);
  const inside = shown.flatMap((f) => f.fan.flatMap((q) => q.filter((_, i) => (f.times_s[i] ?? 0) <= to)));
  const seen = result.past.value.filter((_, i) => (result.past.times_s[i] ?? 0) >= from);
  const values = [result.threshold, result.level.value, ...seen, ...inside].filter(Number.isFinite);
  const beyond = result.threshold + 0.25 * (result.threshold - result.level.value);
  const kept = values.filter((v) => (result.threshold >= result.level.value ? v <= beyond : v >= beyond));
  const [low, high] = [Math.min(...kept), Math.max(...kept)];
  const room = (high - low || 1) * 0.08;
  return {
    from, to, low: low - room, high: high + room,
    x: (s) => LEFT + ((s - from) / (to - from)) * (WIDTH - LEFT - RIGHT),
    y: (v) => TOP + (1 - (v - low + room) / (high - low + 2 * room)) * (HEIGHT - TOP - BOTTOM),
  };
}

function Ahead({ future, f, index }: { future: LifeFuture; f: Frame; index: number }) {
  const upto = future.times_s.filter((t) => t <= f.to).length + 1;
  const times = future.times_s.slice(0, upto).map((t) => Math.min(t, f.to));
  const line = (values: number[]): string => times.map((t, i) => `${i ? "L" : "M"}${f.x(t).toFixed(1)} ${f.y(values[i] ?? 0).toFixed(1)}`).join("");
  const area = (from: number[], to: number[]): string =>
    `${line(from)}${times.map((t, i) => `L${f.x(t).toFixed(1)} ${f.y(to[i] ?? 0).toFixed(1)}`).reverse().join("")}Z`;
  const [a, b, c, d, e] = future.fan;
  if (!a || !b || !c || !d || !e) return null;
  return (
    <g class={`fan-${index}`} data-scenario={future.name}>
      <path class="outer" d={area(a, e)} />
      <path class="inner" d={area(b, d)} />
      <path class="median" d={line(c)} stroke-dasharray={index ? "7 4" : ""} />
    </g>
  );
}

/** When it ends: a bar for 90 %, a thicker one for 50 %, a mark for the median; above the plot, so that nothing hides it. */
function End({ future, f, index }: { future: LifeFuture; f: Frame; index: number }) {
  const at = (q: string): number => f.x(Math.min(future.event[q] ?? f.to, f.to));
  if (!Object.keys(future.event).length) return null;
  const y = 9 + 11 * index;
  return (
    <g class={`life-end fan-${index}`} data-end={future.name}>
      <path d={`M${at("q05")} ${y}H${at("q95")}`} stroke-width="2" />
      <path d={`M${at("q25")} ${y}H${at("q75")}`} stroke-width="6" />
      {!future.reason && <path class="mark" d={`M${at("q50")} ${y - 5}v10`} stroke-width="3" />}
    </g>
  );
}

export function LifeChart({ result, changed }: { result: LifeResult; changed: LifeFuture | undefined }) {
  const base = result.futures[0];
  if (!base) return null;
  const shown = changed ? [base, changed] : [base];
  const f = frame(result, shown);
  const words = `How far it has come and how it will go on, to the threshold of ${round(result.threshold)} ${result.unit}; the table below says the same.`;
  return (
    <figure class="fan life-fan" data-quantity="degradation">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={words}>
        {changed && (
          <text class="watermark" x={WIDTH / 2} y={HEIGHT / 2 + 16} text-anchor="middle" aria-hidden="true">
            WHAT IF
          </text>
        )}
        {[0, 0.25, 0.5, 0.75, 1].map((part) => {
          const value = f.low + part * (f.high - f.low);
          const s = f.from + part * (f.to - f.from);
          return (
            <g key={part}>
              <path class="grid" d={`M${LEFT} ${f.y(value)}H${WIDTH - RIGHT}`} />
              <text x={LEFT - 6} y={f.y(value) + 4} text-anchor="end">
                {Number(value.toPrecision(3))}
              </text>
              <text x={f.x(s)} y={HEIGHT - 6} text-anchor={part === 0 ? "start" : part === 1 ? "end" : "middle"}>
                {`${s < 0 ? "−" : "+"}${daysText(Math.abs(s))}`}
              </text>
            </g>
          );
        })}
        <svg x={LEFT} y={TOP} width={WIDTH - LEFT - RIGHT} height={HEIGHT - TOP - BOTTOM} viewBox={`${LEFT} ${TOP} ${WIDTH - LEFT - RIGHT} ${HEIGHT - TOP - BOTTOM}`}>
          {shown.map((future, i) => (
            <Ahead key={future.name} future={future} f={f} index={i} />
          ))}
        </svg>
        {result.past.times_s.map((t, i) => t >= f.from && <circle key={t} class="seen" cx={f.x(t)} cy={f.y(result.past.value[i] ?? 0)} r="2" />)}
        <path class="life-now" d={`M${f.x(0)} ${TOP}V${HEIGHT - BOTTOM}`} />
        <text x={f.x(0) + 4} y={HEIGHT - BOTTOM - 5}>
          now
        </text>
        <path class="life-threshold" d={`M${LEFT} ${f.y(result.threshold)}H${WIDTH - RIGHT}`} />
        <text class="life-limit" x={LEFT + 4} y={f.y(result.threshold) - 5}>
          failed at {round(result.threshold)} {result.unit}
        </text>
        {shown.map((future, i) => (
          <End key={future.name} future={future} f={f} index={i} />
        ))}
      </svg>
      <figcaption class="quiet">
        dots: the indicator; line: median; bands: 50 and 90 %; bars above: when it fails, 50 and 90 % · {result.versions.learner}, plant{" "}
        {lastPart(result.versions.plant).slice(0, 8)}, {result.readings} readings
      </figcaption>
    </figure>
  );
}
