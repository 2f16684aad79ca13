/** The line of a small trend, as a path; pure, so that it can be tested. */

export interface Point {
  time: number;
  /** NaN is a gap. */
  value: number;
}

/** A twin that has just begun to listen shows what it has over the whole width, from this length on [s]. */
const SHORTEST_S = 60;

/**
 * A path in a box of 100 × 24 over the last `most` seconds before `end`, or as far back as there is something; gaps
 * stay open. `least` is the height that the value must move to fill the box.
 */
export function sparkPath(points: readonly Point[], end: number, most: number, least = 0): string {
  const inside = points.filter((point) => point.time > end - most && point.time <= end + 1);
  const span = Math.min(most, Math.max(SHORTEST_S, end - (inside[0]?.time ?? end)));
  const values = inside.map((point) => point.value).filter(Number.isFinite);
  if (values.length === 0) return "";
  const [lowest, highest] = [Math.min(...values), Math.max(...values)];
  const height = Math.max(highest - lowest, least);
  const low = (lowest + highest - height) / 2;
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
