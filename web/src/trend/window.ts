/** What stretch of time is looked at: the last so many seconds, following, or a fixed one. */

export interface Window {
  start: number;
  end: number;
}

export type Look = { follow: true; span: number } | ({ follow: false } & Window);

export const PRESETS: readonly (readonly [string, number])[] = [
  ["5 min", 300],
  ["1 h", 3600],
  ["8 h", 28800],
  ["1 d", 86400],
  ["7 d", 604800],
  ["30 d", 2592000],
  ["1 y", 31536000],
];

export const DEFAULT_SPAN = 300;
const SHORTEST_S = 0.1;

/** Reads a look from the address; what cannot be read is the default. */
export function lookOf(query: Readonly<Record<string, string>>): Look {
  const [from, to] = [Number(query.from), Number(query.to)];
  if (query.from && query.to && to - from >= SHORTEST_S) return { follow: false, start: from, end: to };
  const span = Number(query.span);
  return { follow: true, span: span > 0 ? span : DEFAULT_SPAN };
}

export function queryOf(look: Look): Record<string, string | undefined> {
  if (look.follow) return { span: String(look.span), from: undefined, to: undefined };
  return { span: undefined, from: look.start.toFixed(3), to: look.end.toFixed(3) };
}

export function windowOf(look: Look, now: number): Window {
  return look.follow ? { start: now - look.span, end: now } : { start: look.start, end: look.end };
}

/** Makes the window `factor` times as long around its middle. */
export function stretched({ start, end }: Window, factor: number): Look {
  const [middle, half] = [(start + end) / 2, ((end - start) / 2) * factor];
  return { follow: false, start: middle - half, end: middle + half };
}

/** Moves the window by a share of its length. */
export function moved({ start, end }: Window, share: number): Look {
  const by = (end - start) * share;
  return { follow: false, start: start + by, end: end + by };
}

/** Between two times, or null where the stretch is too short to have been meant. */
export function between(a: number, b: number): Look | null {
  const [start, end] = a < b ? [a, b] : [b, a];
  return end - start >= SHORTEST_S ? { follow: false, start, end } : null;
}
