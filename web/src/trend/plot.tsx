/** One plot: lines of one unit, a cursor shared with the others, zoom by dragging or keys. */

import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";

import { dateTime, decimalsFor, nameText, numberText, unitText } from "../format";
import { type Band, inSight } from "../expected/band";
import { leastSpan } from "../parts/bar-place";
import { zone } from "../plant";
import { theme } from "../theme";
import { type Group, inSteps } from "./groups";
import { drawHoles, type Hole, holeAt, spansOf } from "./holes";
import { pastTime } from "../time/shown";
import { axes, DASHES, drawBands, drawContext, drawCursor, drawMarks, type Ink, inkOf, series } from "./plot-options";
import { type Rows, scaleOf } from "./rows";
import type { Window } from "./window";

const SYNC = "trends";
const HEIGHT = 190;
const STATE_HEIGHT = 110;

/** What is drawn of each signal of the group, in a window. */
export interface Drawn {
  window: Window;
  rows: readonly Rows[];
  bands: readonly (Band | null)[];
  holes: readonly (readonly Hole[])[];
}

export interface PlotHandle {
  draw(drawn: Drawn): void;
}

interface Props {
  group: Group;
  /** Called with the plot's way to draw, and with null when it is gone. */
  handle(handle: PlotHandle | null): void;
  onZoom(from: number, to: number): void;
  onZoomOut(): void;
  /** Called with the time that every view is to be taken to [s]. */
  onTime(at: number): void;
}

function aligned(rows: readonly Rows[]): uPlot.AlignedData {
  if (rows.length === 1) return [rows[0]?.time ?? [], rows[0]?.line ?? []];
  return uPlot.join(rows.map((one) => [one.time, one.line] as uPlot.AlignedData));
}

function valueAt(rows: Rows, time: number): { text: number | null; quality: string } {
  let low = 0;
  let high = rows.time.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows.time[middle] as number) <= time) low = middle + 1;
    else high = middle;
  }
  return { text: rows.value[low - 1] ?? null, quality: rows.quality[low - 1] ?? "none" };
}

export function Plot({ group, handle, onZoom, onZoomOut, onTime }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const readings = useRef<(HTMLElement | null)[]>([]);
  const clock = useRef<HTMLTimeElement>(null);
  const on = useRef({ onZoom, onZoomOut, onTime });
  on.current = { onZoom, onZoomOut, onTime };
  const state = group.signals[0]?.kind === "state";

  useEffect(() => {
    const host = box.current as HTMLDivElement;
    const ink: Ink = inkOf(host);
    const least = Math.max(...group.signals.map((signal) => leastSpan(signal.range)));
    let rows: readonly Rows[] = [];
    let bands: readonly (Band | null)[] = [];
    let holes: Drawn["holes"] = [];
    let window: Window = { start: 0, end: 1 };
    const tell = (plot: uPlot): void => {
      const { left } = plot.cursor;
      const held = pastTime.peek();
      const rest = held !== null && held >= window.start && held <= window.end ? held : window.end;
      const time = left != null && left >= 0 ? plot.posToVal(left, "x") : rest;
      group.signals.forEach((signal, i) => {
        const at = valueAt(rows[i] ?? { time: [], line: [], value: [], quality: [] }, time);
        const lost = holeAt(holes[i] ?? [], time) !== null && at.text === null;
        const words = lost ? "lost" : signal.kind === "state" && at.text !== null ? signal.states?.[at.text] : null;
        const marked = lost || at.quality === "good" || at.quality === "none" ? "" : ` ${at.quality}`;
        const node = readings.current[i];
        if (node) node.textContent = (words ?? numberText(at.text, decimalsFor(signal.range))) + marked;
      });
      if (clock.current) clock.current.textContent = left != null && left >= 0 ? dateTime(time, zone()) : "";
    };
    const plot = new uPlot(
      {
        width: Math.max(200, host.clientWidth),
        height: state ? STATE_HEIGHT : HEIGHT,
        legend: { show: false },
        scales: {
          x: { time: true, range: () => [window.start, window.end] },
          y: {
            range: () =>
              state
                ? [-0.4, Math.max(1, (group.signals[0]?.states?.length ?? 2) - 1) + 0.4]
                : (scaleOf([...rows.map((one) => one.line), ...bands.flatMap((one) => (one ? inSight(one) : []))], least) ?? [0, 1]),
          },
        },
        axes: axes(ink, group.signals, zone()),
        series: series(ink, group.signals).map((one, i) => {
          const signal = group.signals[i - 1];
          const steps = uPlot.paths.stepped?.({ align: 1 });
          return steps && signal && inSteps(signal) ? { ...one, paths: steps } : one;
        }),
        cursor: {
          drag: { x: true, y: false, setScale: false },
          points: { size: 6 },
          sync: {
            key: SYNC,
            scales: ["x", null],
            filters: { pub: (type) => type === "mousemove" || type === "mouseleave", sub: () => true },
          },
          bind: {
            dblclick: () => () => {
              on.current.onZoomOut();
              return null;
            },
          },
        },
        hooks: {
          drawClear: [
            (self) => group.signals.length === 1 && drawContext(self, group.signals[0] as never, ink),
            (self) => drawBands(self, bands, ink),
            (self) => drawHoles(self, holes.flat(), ink),
          ],
          draw: [(self) => drawMarks(self, rows, ink), (self) => drawCursor(self, pastTime.peek(), ink)],
          setCursor: [tell],
          setSelect: [
            (self) => {
              const { left, width } = self.select;
              if (width > 3) on.current.onZoom(self.posToVal(left, "x"), self.posToVal(left + width, "x"));
              self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            },
          ],
        },
      },
      aligned(group.signals.map(() => ({ time: [], line: [], value: [], quality: [] }))),
      host,
    );
    const resize = new ResizeObserver(() => {
      const width = Math.max(200, host.clientWidth);
      if (width !== plot.width) plot.setSize({ width, height: plot.height });
    });
    resize.observe(host);
    handle({
      draw(drawn) {
        ({ rows, window, bands, holes } = drawn);
        host.dataset.holes = String(spansOf(holes.flat()).length);
        host.dataset.expected = String(bands.filter((one) => one !== null && one.time.length > 1).length);
        plot.setData(aligned(rows));
        tell(plot);
      },
    });
    const keys = (event: KeyboardEvent): void => keyed(event, plot, on.current);
    const click = (event: MouseEvent): void => {
      const left = event.clientX - plot.over.getBoundingClientRect().left;
      if (event.shiftKey && left >= 0 && left <= plot.over.clientWidth) on.current.onTime(plot.posToVal(left, "x"));
    };
    host.addEventListener("click", click);
    host.addEventListener("keydown", keys);
    return () => {
      host.removeEventListener("keydown", keys);
      host.removeEventListener("click", click);
      resize.disconnect();
      handle(null);
      plot.destroy();
    };
  }, [group.key, group.signals.map((signal) => signal.path).join(), theme.value, zone()]);

  return (
    <figure class="plot">
      <figcaption>
        {group.signals.map((signal, i) => (
          <span key={signal.path} class="pen">
            <svg viewBox="0 0 28 8" aria-hidden="true">
              <path d="M0 4h28" class={`pen-${i + 1}`} stroke-dasharray={DASHES[i]?.join(" ")} />
            </svg>
            {nameText(signal.name)} <b ref={(node) => void (readings.current[i] = node)} /> {unitText(signal.unit)}
          </span>
        ))}
        <time ref={clock} class="at" />
      </figcaption>
      <div
        ref={box}
        class="canvas"
        tabIndex={0}
        role="application"
        aria-label={`Trend of ${group.signals.map((signal) => nameText(signal.name)).join(", ")}. Arrow keys move the cursor, plus and minus zoom, T takes every view to the cursor's time. The table below holds the same data.`}
      />
    </figure>
  );
}

const STEP_PX = 8;

function keyed(event: KeyboardEvent, plot: uPlot, on: Pick<Props, "onZoom" | "onZoomOut" | "onTime">): void {
  const width = plot.over.clientWidth;
  const left = plot.cursor.left != null && plot.cursor.left >= 0 ? plot.cursor.left : width;
  const step = { ArrowLeft: -STEP_PX, ArrowRight: STEP_PX }[event.key];
  if (step !== undefined) {
    plot.setCursor({ left: Math.min(width - 1, Math.max(0, left + step)), top: plot.over.clientHeight / 2 }, true);
  } else if (event.key === "+") {
    const [from, to] = [left - width / 4, left + width / 4];
    on.onZoom(plot.posToVal(Math.max(0, from), "x"), plot.posToVal(Math.min(width, to), "x"));
  } else if (event.key === "-") {
    on.onZoomOut();
  } else if (event.key === "t" && !event.ctrlKey && !event.metaKey) {
    on.onTime(plot.posToVal(left, "x"));
  } else return;
  event.preventDefault();
}

