/** Names of the scenarios that are compared, each once, whatever they were called. */

import type { Result } from "./types";

/** Parts what was watched of several assets by the asset, each under its name; of one asset all is under none. */
export function byAsset<T extends { name: string }>(watched: readonly T[]): [string, T[]][] {
  const parts = new Map<string, T[]>();
  for (const one of watched) {
    const part = one.name.slice(0, Math.max(0, one.name.lastIndexOf("/")));
    parts.set(part, [...(parts.get(part) ?? []), one]);
  }
  return [...parts];
}

interface Named {
  title: string;
  result: Pick<Result, "seed" | "times_s">;
}

const horizonOf = ({ times_s }: Named["result"]): number => times_s[times_s.length - 1] ?? 0;

/** Adds how far ahead each looks where that differs, then its seed and a number where some are still called the same. */
export function namesOf(all: readonly Named[]): string[] {
  const far = new Set(all.map(({ result }) => horizonOf(result))).size > 1;
  let names = all.map(({ title, result }) => (far ? `${title}, over ${Number((horizonOf(result) / 3600).toPrecision(3))} h` : title));
  const twice = (name: string): boolean => names.indexOf(name) !== names.lastIndexOf(name);
  names = names.map((name, i) => (twice(name) ? `${name}, seed ${all[i]?.result.seed}` : name));
  return names.map((name, i) => (names.indexOf(name) === i ? name : `${name} (${i + 1})`));
}
