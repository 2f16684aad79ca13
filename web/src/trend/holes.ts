/** What damage took of the history: spans in which readings may be missing, hatched, with the word. */

import type uPlot from "uplot";

import type { History } from "../api/types";
import type { Ink } from "./plot-options";

export interface Hole {
  start: number;
  end: number;
  /** How many readings are lost, of all signals that were in the damaged file. */
  rows: number;
  why: string;
}

const LOST = "readings lost";
const HATCH_PX = 8;
/** A hole is seen however short it is. */
const LEAST_PX = 3;

export function holesOf(history: History): Hole[] {
  return (history.missing ?? []).map(({ start, end, rows, why }) => ({
    start: Date.parse(start) / 1000,
    end: Date.parse(end) / 1000,
    rows,
    why,
  }));
}

/** The hole that a time is in, or null. */
export function holeAt(holes: readonly Hole[], time: number): Hole | null {
  return holes.find(({ start, end }) => start <= time && time < end) ?? null;
}

/** The spans of several signals' holes, those that touch as one. */
export function spansOf(holes: readonly Hole[]): { start: number; end: number }[] {
  const spans: { start: number; end: number }[] = [];
  for (const { start, end } of [...holes].sort((a, b) => a.start - b.start)) {
    const last = spans[spans.length - 1];
    if (last && start <= last.end) last.end = Math.max(last.end, end);
    else spans.push({ start, end });
  }
  return spans;
}

/** Draws holes behind the lines, over the whole height: no line goes through them, for nothing is known there. */
export function drawHoles(plot: uPlot, holes: readonly Hole[], ink: Ink): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  for (const { start, end } of spansOf(holes)) {
    const left = Math.max(bbox.left, plot.valToPos(start, "x", true));
    const right = Math.min(bbox.left + bbox.width, Math.max(plot.valToPos(end, "x", true), left + LEAST_PX * ratio));
    if (right <= left) continue;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, bbox.top, right - left, bbox.height);
    ctx.clip();
    hatch(ctx, left, right, bbox, ink);
    tell(ctx, left, right, bbox, ink);
    ctx.restore();
  }
}

function hatch(ctx: CanvasRenderingContext2D, left: number, right: number, bbox: uPlot.BBox, ink: Ink): void {
  const step = HATCH_PX * devicePixelRatio;
  ctx.strokeStyle = ink.muted;
  ctx.lineWidth = devicePixelRatio;
  ctx.strokeRect(left, bbox.top - 1, right - left, bbox.height + 2);
  ctx.globalAlpha = 0.6;
  ctx.beginPath();
  for (let x = left - bbox.height; x < right; x += step) {
    ctx.moveTo(x, bbox.top + bbox.height);
    ctx.lineTo(x + bbox.height, bbox.top);
  }
  ctx.stroke();
  ctx.globalAlpha = 1;
}

/** Writes the word where there is room for it; the table says it in any case. */
function tell(ctx: CanvasRenderingContext2D, left: number, right: number, bbox: uPlot.BBox, ink: Ink): void {
  const ratio = devicePixelRatio;
  ctx.font = `${12 * ratio}px system-ui, sans-serif`;
  const width = ctx.measureText(LOST).width + 8 * ratio;
  if (width > right - left) return;
  const [x, y] = [(left + right - width) / 2, bbox.top + bbox.height / 2];
  ctx.fillStyle = ink.panel;
  ctx.fillRect(x, y - 10 * ratio, width, 20 * ratio);
  ctx.fillStyle = ink.ink;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  ctx.fillText(LOST, x + 4 * ratio, y);
}
