/** The order of a table as it stands in the address (`sort=-gaps`). */

export type Key = string | number | null;

export interface Order {
  column: string;
  down: boolean;
}

export function orderOf(text: string | undefined, usual: string): Order {
  const chosen = text || usual;
  return chosen.startsWith("-") ? { column: chosen.slice(1), down: true } : { column: chosen, down: false };
}

/** Compares two keys; nothing known stands last in either direction. */
export function compare(a: Key, b: Key, down: boolean): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  const up = typeof a === "string" ? a.localeCompare(String(b)) : a - Number(b);
  return down ? -up : up;
}
