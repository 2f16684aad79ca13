/** The band in which a reading is expected: what the model gives of it, two standard deviations to either side. */

import type { History } from "../api/types";

export const SIGMAS = 2;

export interface Band {
  time: number[];
  /** NaN is a gap. */
  low: number[];
  high: number[];
}

/** The band of an estimated lane's history; a row without a value or without sigma is a gap. */
export function bandOf({ time, value, sigma }: History): Band {
  const half = time.map((_, i) => SIGMAS * (sigma?.[i] ?? Number.NaN));
  return {
    time,
    low: time.map((_, i) => (value[i] ?? Number.NaN) - (half[i] as number)),
    high: time.map((_, i) => (value[i] ?? Number.NaN) + (half[i] as number)),
  };
}

/**
 * The lines that a plot is to have in sight: the band, but no wider than three times its median width, so that an
 * estimate which has just begun and knows nothing yet does not make a flat line of the reading.
 */
export function inSight({ low, high }: Band): [number | null, number | null][] {
  const width = low.map((one, i) => (high[i] as number) - one);
  const known = width.filter(Number.isFinite).sort((a, b) => a - b);
  const most = 3 * (known[known.length >> 1] ?? 0);
  return low.flatMap((one, i) =>
    (width[i] as number) <= most ? [[one, high[i] as number] as [number, number]] : [],
  );
}

/** The outlines of a band without its gaps: each a run of places of its points. */
export function runs({ low, high }: Band): number[][] {
  const found: number[][] = [];
  let run: number[] = [];
  low.forEach((one, i) => {
    if (Number.isFinite(one) && Number.isFinite(high[i])) {
      if (run.length === 0) found.push(run);
      run.push(i);
    } else run = [];
  });
  return found;
}
