/** How a plot looks: greys, pens told apart by lightness and dashes, marks of quality on the line. */

import type uPlot from "uplot";

import type { SignalInfo } from "../api/types";
import { type Band, runs } from "../expected/band";
import { decimalsFor, numberText, unitText } from "../format";
import { qualityOf } from "../live/quality";
import { SHAPE } from "../parts/quality-mark";
import type { Rows } from "./rows";

export const DASHES: readonly number[][] = [[], [7, 3], [2, 2], [9, 3, 2, 3]];

export interface Ink {
  ink: string;
  muted: string;
  grid: string;
  band: string;
  pens: string[];
  mark: string;
  panel: string;
}

/** The colours of the page's theme, for the canvas. */
export function inkOf(element: Element): Ink {
  const style = getComputedStyle(element);
  const read = (name: string): string => style.getPropertyValue(name).trim();
  return {
    ink: read("--ink"),
    muted: read("--muted"),
    grid: read("--grid"),
    band: read("--band"),
    pens: ["--pen-1", "--pen-2", "--pen-3", "--pen-4"].map(read),
    mark: read("--ink"),
    panel: read("--panel"),
  };
}

export function axes(ink: Ink, signals: readonly SignalInfo[], zone: string): uPlot.Axis[] {
  const first = signals[0];
  const states = first?.kind === "state" ? first.states : null;
  const line = { stroke: ink.grid, width: 1 };
  return [
    { stroke: ink.muted, grid: line, ticks: line, font: "12px system-ui, sans-serif", space: 90, values: times(zone) },
    {
      stroke: ink.muted,
      grid: line,
      ticks: line,
      font: "12px system-ui, sans-serif",
      size: 76,
      ...(states ? { splits: () => states.map((_word, code) => code) } : {}),
      values: states
        ? (_plot, splits) => splits.map((split) => (Number.isInteger(split) ? (states[split] ?? "") : ""))
        : (_plot, splits) => splits.map((split) => numberText(split, tickDecimals(splits))),
    },
  ];
}

function tickDecimals(splits: readonly number[]): number {
  const step = Math.abs((splits[1] ?? 1) - (splits[0] ?? 0));
  let decimals = 0;
  while (decimals < 6 && Math.abs(step * 10 ** decimals - Math.round(step * 10 ** decimals)) > 1e-6) decimals++;
  return decimals;
}

const DAY: Intl.DateTimeFormatOptions = { year: "numeric", month: "2-digit", day: "2-digit" };

function times(zone: string): uPlot.Axis.Values {
  return (_plot, splits, _axis, _space, step) => {
    const zoned = { timeZone: zone, hourCycle: "h23" } as const;
    const parts: Intl.DateTimeFormatOptions =
      step >= 86400
        ? DAY
        : step >= 60
          ? { hour: "2-digit", minute: "2-digit" }
          : { hour: "2-digit", minute: "2-digit", second: "2-digit" };
    if (step < 1) parts.fractionalSecondDigits = 3;
    const clock = new Intl.DateTimeFormat("sv-SE", { ...zoned, ...parts });
    const day = new Intl.DateTimeFormat("sv-SE", { ...zoned, ...DAY });
    let before = "";
    return splits.map((split) => {
      const today = day.format(split * 1000).slice(5);
      const changed = step < 86400 && today !== before;
      before = today;
      return changed ? `${clock.format(split * 1000)}\n${today}` : clock.format(split * 1000);
    });
  };
}

export function series(ink: Ink, signals: readonly SignalInfo[]): uPlot.Series[] {
  return [
    {},
    ...signals.map((signal, i) => ({
      label: signal.name,
      stroke: ink.pens[i % ink.pens.length] as string,
      width: i === 0 ? 1.6 : 1.4,
      dash: DASHES[i % DASHES.length] as number[],
      points: { show: false },
      value: (_plot: uPlot, value: number | null) => numberText(value, decimalsFor(signal.range)),
    })),
  ];
}

const APART_PX = 10;
const paths = new Map<string, Path2D>();

function shapeOf(quality: keyof typeof SHAPE): Path2D {
  let path = paths.get(quality);
  if (path === undefined) {
    path = new Path2D(SHAPE[quality]);
    paths.set(quality, path);
  }
  return path;
}

/** Draws the shape of each row that is not good, on the line or at the edge it is beyond. */
export function drawMarks(plot: uPlot, all: readonly Rows[], ink: Ink): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  for (const rows of all) {
    let free = Number.NEGATIVE_INFINITY;
    rows.time.forEach((time, i) => {
      const quality = rows.quality[i] ?? qualityOf(0);
      if (quality === "good") return;
      const x = plot.valToPos(time, "x", true);
      if (x < bbox.left || x > bbox.left + bbox.width || x - free < APART_PX * ratio) return;
      free = x;
      const value = rows.value[i];
      const wanted = value == null ? bbox.top + bbox.height : plot.valToPos(value, "y", true);
      const edge = 8 * ratio;
      const y = Math.min(bbox.top + bbox.height - edge, Math.max(bbox.top + edge, wanted));
      ctx.setTransform(ratio * 0.86, 0, 0, ratio * 0.86, x - 6 * ratio, y - 6 * ratio);
      ctx.fillStyle = ink.panel;
      ctx.strokeStyle = ink.mark;
      ctx.lineWidth = 1.6;
      const shape = shapeOf(quality);
      ctx.fill(shape);
      ctx.stroke(shape);
    });
  }
  ctx.restore();
}

/** Draws the page's time cursor: a line over the whole height with a flag, so that it is no limit and no grid. */
export function drawCursor(plot: uPlot, at: number | null, ink: Ink): void {
  if (at === null) return;
  const { ctx, bbox } = plot;
  const x = plot.valToPos(at, "x", true);
  if (x < bbox.left - 1 || x > bbox.left + bbox.width + 1) return;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = ink.ink;
  ctx.fillStyle = ink.ink;
  ctx.lineWidth = 2 * ratio;
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.beginPath();
  ctx.moveTo(x - 6 * ratio, bbox.top);
  ctx.lineTo(x + 6 * ratio, bbox.top);
  ctx.lineTo(x, bbox.top + 8 * ratio);
  ctx.fill();
  ctx.restore();
}

/** Draws where readings are expected, behind their lines: the model's estimate, two standard deviations to either side. */
export function drawBands(plot: uPlot, bands: readonly (Band | null)[], ink: Ink): void {
  const { ctx, bbox } = plot;
  const x = (time: number): number => plot.valToPos(time, "x", true);
  const y = (value: number): number => plot.valToPos(value, "y", true);
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.fillStyle = ink.band;
  for (const band of bands) {
    if (band === null) continue;
    for (const run of runs(band)) {
      ctx.beginPath();
      for (const i of run) ctx.lineTo(x(band.time[i] as number), y(band.high[i] as number));
      for (const i of run.reverse()) ctx.lineTo(x(band.time[i] as number), y(band.low[i] as number));
      ctx.closePath();
      ctx.fill();
    }
  }
  ctx.restore();
}

/** Draws the normal band and the limits of the one signal of a plot, behind its line. */
export function drawContext(plot: uPlot, signal: SignalInfo, ink: Ink): void {
  const { ctx, bbox } = plot;
  const at = (value: number): number => plot.valToPos(value, "y", true);
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  const [low, high] = [signal.normal?.[0], signal.normal?.[1]];
  if (low != null && high != null) {
    ctx.fillStyle = ink.grid;
    ctx.globalAlpha = 0.35;
    ctx.fillRect(bbox.left, at(high), bbox.width, at(low) - at(high));
    ctx.globalAlpha = 1;
  }
  ctx.strokeStyle = ink.muted;
  ctx.fillStyle = ink.muted;
  ctx.lineWidth = devicePixelRatio;
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  for (const [level, limit] of Object.entries(signal.alarm ?? {})) {
    if (limit == null) continue;
    ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, at(limit));
    ctx.lineTo(bbox.left + bbox.width, at(limit));
    ctx.stroke();
    const words = `${level.replaceAll("_", " ")} ${limit} ${unitText(signal.unit)}`;
    ctx.fillText(words, bbox.left + 6 * devicePixelRatio, at(limit) - 4 * devicePixelRatio);
  }
  ctx.restore();
}
