/** The trends of an asset: one window of time and one cursor for all of them, in the address. */

import { effect, useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";

import type { SignalInfo } from "../api/types";
import { cells, epoch, plantTime } from "../live/live";
import { route, setQuery } from "../route/current";
import { inPast, LIVE, moveTo } from "../time/cursor";
import { pastTime, shownTime } from "../time/shown";
import { type Group, groupsOf } from "./groups";
import { Plot, type PlotHandle } from "./plot";
import { TrendTable } from "./table";
import { TrendTools } from "./tools";
import { gapOf, TrendData } from "./trend-data";
import { between, type Look, lookOf, queryOf, stretched, windowOf } from "./window";

const DRAW_MS = 250;
/** While following, history is asked again when this much of the window is live rows, or after this long. */
const TAIL_SHARE = 0.25;
const FRESH_MS = 1000;

function useTrendData(signals: readonly SignalInfo[], look: Look, width: () => number, draw: () => void) {
  const data = useMemo(() => new TrendData(), []);
  const busy = useSignal(false);
  const version = useSignal(0);
  const askedAt = useRef({ plant: 0, wall: 0 });
  const known = Number.isFinite(plantTime.value);
  const live = !inPast.value;
  const key = `${signals.map((signal) => signal.path).join()} ${JSON.stringify(look)} ${live}`;
  // in the past a following window ends at the cursor: asked again once that has moved by half a pixel
  const end = live || !look.follow ? 0 : Math.floor((pastTime.value ?? 0) / Math.max(0.001, look.span / (2 * width())));

  const ask = async (): Promise<void> => {
    askedAt.current = { plant: plantTime.peek(), wall: performance.now() };
    busy.value = true;
    if (!(await data.ask(signals, windowOf(look, shownTime.peek()), 2 * width()))) return;
    busy.value = false;
    version.value += 1;
    draw();
  };
  useEffect(() => {
    if (known || !look.follow || pastTime.peek() !== null) void ask();
  }, [key, known, epoch.value, end]);
  useEffect(() => {
    const stops = look.follow && live
      ? signals.map((signal) => cells.watch(signal.path, (cell) => data.take(signal, cell, gapOf(signal))))
      : [];
    return () => stops.forEach((stop) => stop());
  }, [key]);
  useEffect(() => {
    if (!look.follow || !live) return undefined;
    const timer = setInterval(() => {
      const { plant, wall } = askedAt.current;
      const tail = plantTime.peek() - plant;
      if (tail > look.span * TAIL_SHARE && performance.now() - wall > FRESH_MS) void ask();
      data.trim(plantTime.peek() - look.span);
      draw();
    }, DRAW_MS);
    return () => clearInterval(timer);
  }, [key]);
  return { data, busy, version };
}

const BAND_SHARE = 0.02;
const BAND_MS = 2000;

/** Keeps the bands of what is expected: asked whenever history is, and live every fiftieth of the window. */
function useBands(
  paths: readonly string[], look: Look, data: TrendData, version: { value: number }, width: () => number, draw: () => void,
): void {
  const key = `${paths.join()} ${JSON.stringify(look)} ${version.value}`;
  useEffect(() => {
    if (paths.length === 0) return undefined;
    const ask = (): void => {
      const window = windowOf(look, shownTime.peek());
      if (Number.isFinite(window.end)) void data.askBands(paths, window, width()).then(draw);
    };
    ask();
    if (!look.follow || inPast.value) return undefined;
    const timer = setInterval(ask, Math.max(BAND_MS, 1000 * look.span * BAND_SHARE));
    return () => clearInterval(timer);
  }, [key, inPast.value]);
}

function plotWidth(element: HTMLElement | null): number {
  return Math.max(200, (element?.clientWidth ?? 800) - 90);
}

interface Props {
  signals: readonly SignalInfo[];
  /** Paths of those that a dynamic model expects something of. */
  expected: ReadonlySet<string>;
}

export function Trends({ signals, expected }: Props) {
  const look = lookOf(route.value.query);
  const frame = useRef<HTMLDivElement>(null);
  const plots = useRef(new Map<string, PlotHandle>());
  const groups = groupsOf(signals);
  const showing = useRef<{ look: Look; groups: Group[] }>({ look, groups });
  showing.current = { look, groups };

  const draw = (): void => {
    const window = windowOf(showing.current.look, shownTime.peek());
    for (const group of showing.current.groups) {
      const paths = group.signals.map(({ path }) => path);
      plots.current.get(group.key)?.draw({
        window,
        rows: paths.map((path) => data.of(path)),
        bands: paths.map((path) => data.bandOf(path)),
        holes: paths.map((path) => data.holesOf(path)),
      });
    }
  };
  const { data, busy, version } = useTrendData(signals, look, () => plotWidth(frame.current), () => draw());
  useBands(signals.map(({ path }) => path).filter((path) => expected.has(path)), look, data, version, () => plotWidth(frame.current), draw);
  useEffect(() => effect(() => void (version.value >= 0 && (pastTime.value ?? 0) >= 0 && draw())), []);

  const show = (next: Look | null): void => {
    if (next && (next.follow || Number.isFinite(next.start))) setQuery(queryOf(next), true);
  };
  const zoomOut = (): void => show(stretched(windowOf(showing.current.look, shownTime.peek()), 3));
  return (
    <section class="panel trends" aria-label="Trends" ref={frame}>
      <TrendTools look={look} onLook={show} busy={busy.value} />
      {version.value >= 0 && data.error && <p role="alert">{data.error}</p>}
      {groups.map((group) => (
        <Plot
          key={group.key}
          group={group}
          handle={(handle) => {
            if (handle) plots.current.set(group.key, handle);
            else plots.current.delete(group.key);
            if (handle) draw();
          }}
          onZoom={(from, to) => show(between(from, to))}
          onZoomOut={zoomOut}
          onTime={(at) => moveTo(at >= plantTime.peek() ? LIVE : { mode: "held", at })}
        />
      ))}
      {groups.length === 0 && <p class="quiet">No signal is chosen. Tick some in the table of values.</p>}
      <TrendTable signals={signals} data={data} look={look} version={version.value} />
    </section>
  );
}
