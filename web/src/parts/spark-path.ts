/** The line of a small trend, as a path; pure, so that it can be tested. */

export interface Point {
  time: number;
  /** NaN is a gap. */
  value: number;
}

/** A path in a box of 100 × 24 over the last `span` seconds before `end`; gaps stay open. */
export function sparkPath(points: readonly Point[], end: number, span: number): string {
  const inside = points.filter((point) => point.time > end - span && point.time <= end + 1);
  const values = inside.map((point) => point.value).filter(Number.isFinite);
  if (values.length === 0) return "";
  const low = Math.min(...values);
  const height = Math.max(...values) - low;
  let pen = "M";
  let path = "";
  for (const { time, value } of inside) {
    if (!Number.isFinite(value)) {
      pen = "M";
      continue;
    }
    const x = 100 - ((end - time) / span) * 100;
    const y = height > 0 ? 22 - ((value - low) / height) * 20 : 12;
    path += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
    pen = "L";
  }
  return path;
}
