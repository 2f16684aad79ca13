/** A small trend: the last quarter of an hour, as far as there is one, from history, then what comes live. */

import { useEffect, useRef } from "preact/hooks";

import { get } from "../api/http";
import type { History, SignalInfo } from "../api/types";
import { epoch, plantTime } from "../live/live";
import { qualityOfStatus } from "../live/quality";
import { leastSpan } from "./bar-place";
import { inPast } from "../time/cursor";
import { pastTime, shownTime } from "../time/shown";
import { isoOf } from "../time/zoned";
import { type Point, sparkPath } from "./spark-path";
import { useLive } from "./use-live";
import { useSeen } from "./use-seen";

const SPAN_S = 900;
const POINTS = 120;

function rows(history: History): Point[] {
  return history.time.map((time, i) => {
    const bad = qualityOfStatus(history.status[i] ?? 0) === "bad";
    return { time, value: bad ? Number.NaN : (history.value[i] ?? Number.NaN) };
  });
}

export function Spark({ signal }: { signal: SignalInfo }) {
  const line = useRef<SVGPathElement>(null);
  const points = useRef<Point[]>([]);
  const draw = (): void => {
    line.current?.setAttribute("d", sparkPath(points.current, shownTime.peek(), SPAN_S, leastSpan(signal.range)));
  };
  const known = Number.isFinite(plantTime.value);
  // the past is asked for anew where the cursor has moved by a point; live values come by themselves
  const then = inPast.value ? Math.floor((pastTime.value ?? 0) / (SPAN_S / POINTS)) : null;
  const frame = useRef<SVGSVGElement>(null);
  const seen = useSeen(frame);
  useEffect(() => {
    if (!known || !seen) return undefined;
    const abort = new AbortController();
    const end = shownTime.peek();
    const query = { signal: signal.path, start: isoOf(end - SPAN_S), end: isoOf(end + (then === null ? 1 : 0.001)), points: POINTS };
    get<History>("history", query, abort.signal).then(
      (history) => {
        points.current = rows(history);
        draw();
      },
      () => undefined, // the trend below says why history does not answer; a small trend just stays empty
    );
    return () => abort.abort();
  }, [signal.path, known, seen, epoch.value, then]);
  useLive(signal.path, (cell) => {
    if (inPast.peek()) return;
    const last = points.current[points.current.length - 1];
    if (!Number.isFinite(cell.time) || (last && cell.time < last.time + SPAN_S / POINTS / 4)) return;
    const usable = cell.quality !== "bad" && cell.quality !== "stale";
    points.current.push({ time: cell.time, value: usable ? cell.value : Number.NaN });
    if (points.current.length > 4 * POINTS) points.current.splice(0, POINTS);
    draw();
  });
  return (
    <svg ref={frame} class="spark" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true">
      <path ref={line} vector-effect="non-scaling-stroke" />
    </svg>
  );
}
