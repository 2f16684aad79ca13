/** By which figures futures are judged: what is offered, what is chosen, as it stands in the address, and what is shown of it. */

import type { Difference, Offered, Result } from "./types";

const BETWEEN = ";"; // in no name of a figure

/** The figures that can be chosen, each once: the time outside a limit comes with how often. */
export function choices(offered: readonly Offered[]): Offered[] {
  return offered.filter((one, i) => offered.findIndex((other) => other.kpi === one.kpi) === i);
}

/** Whether it is a figure in the words of a plant file, as `A={order: flow, amount: 300 m3, by: 8 h}`. */
export const isWritten = (figure: string): boolean => /^[^={};]+=\{[^;]+\}$/.test(figure.trim());

/** Reads the chosen ones of an address; those that are told by themselves, where it names none that there is. */
export function chosenOf(text: string | undefined, offered: readonly Offered[]): string[] {
  const all = choices(offered);
  const named = (text ?? "").split(BETWEEN);
  const found = [...all.filter((one) => named.includes(one.kpi)).map((one) => one.kpi), ...named.filter(isWritten)];
  return found.length ? found : all.filter((one) => one.default).map((one) => one.kpi);
}

/** Gives what stands in the address, and is asked for; nothing where it is what is told anyway. */
export function written(chosen: readonly string[], offered: readonly Offered[]): string | undefined {
  const usual = chosenOf(undefined, offered);
  return chosen.length === usual.length && usual.every((name) => chosen.includes(name)) ? undefined : chosen.join(BETWEEN);
}

export interface Row {
  name: string;
  unit: string;
  better: string;
  description: string;
  /** `met`: of an order, 1 or 0: the mean is the share of the members. */
  statistic?: string;
}

/** Gives a row for each figure that any result has, unless it is offered and was not chosen. */
export function rowsOf(results: readonly Pick<Result, "kpis">[], chosen: readonly string[], offered: readonly Offered[]): Row[] {
  const rows = new Map<string, Row>();
  const lines = chosen.filter(isWritten).map((line) => line.split("=")[0]?.trim() ?? "");
  for (const kpi of results.flatMap((r) => r.kpis)) {
    const known = offered.find((one) => one.name === kpi.name);
    if (known ? chosen.includes(known.kpi) : !lines.length || lines.some((line) => kpi.name.startsWith(line))) rows.set(kpi.name, { ...kpi, description: known?.description ?? "" });
  }
  return [...rows.values()];
}

/** Gives the chosen figures that no result has: they were chosen after it was asked. */
export function missing(results: readonly Pick<Result, "kpis">[], chosen: readonly string[], offered: readonly Offered[]): string[] {
  const told = new Set(results.flatMap((r) => r.kpis.map((kpi) => kpi.name)));
  return chosen.filter((kpi) =>
    isWritten(kpi) ? !told.has(kpi.split("=")[0]?.trim() ?? "") : offered.some((one) => one.kpi === kpi && !told.has(one.name)),
  );
}

/** Says whether a change for more or less is one for the better; nothing where it is not clear, or nobody said. */
export function verdict({ mean, clear }: Pick<Difference, "mean" | "clear">, better: string): "better" | "worse" | "" {
  if (!clear || !mean || (better !== "less" && better !== "more")) return "";
  return mean < 0 === (better === "less") ? "better" : "worse";
}

/** Whether every member is the same as without the change. */
export const isNone = ({ mean, interval }: Pick<Difference, "mean" | "interval">): boolean => mean === 0 && interval?.[0] === 0 && interval[1] === 0;

/** Says how likely a mean difference like this is where there is none (paired t test). */
export function chance(p: number | null | undefined): string {
  if (p === null || p === undefined) return "";
  return p < 0.001 ? "p < 0.001" : `p = ${p.toPrecision(2)}`;
}
