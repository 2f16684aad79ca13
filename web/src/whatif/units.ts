/** The model computes in SI; people ask and read in the units of the plant file. SI = value * scale + offset. */

import type { Beginning, Difference, Figure, Future, Question, Quantity, Result } from "./types";

type Affine = Pick<Quantity, "scale" | "offset">;
type Maybe = number | null;
/** Figures that are values of their quantity: a mean in degrees is degrees; an integral or a time is not. */
const VALUES = ["mean", "min", "max", "last"];

export const shown = (si: number, q: Affine): number => (si - q.offset) / q.scale;
export const toSi = (value: number, q: Affine): number => value * q.scale + q.offset;

/** Converts a difference, which no offset changes. */
export const shownSpan = (si: number, q: Affine): number => si / q.scale;

export type Quantities = Record<string, Quantity>;

export function everyQuantity(begun: Pick<Beginning, "quantities">): Quantities {
  const { inputs, states, parameters, outputs } = begun.quantities;
  return { ...parameters, ...inputs, ...states, ...outputs };
}

const each = (values: Maybe[], by: (si: number) => number): Maybe[] => values.map((v) => (v === null ? null : by(v)));

function figureShown(f: Figure, q: Quantity): Figure {
  const by = (si: number): number => shown(si, q);
  return { ...f, mean: f.mean === null ? null : by(f.mean), quantiles: each(f.quantiles, by) };
}

function differenceShown(d: Difference, q: Quantity): Difference {
  const by = (si: number): number => shownSpan(si, q);
  const interval = d.interval && (each(d.interval, by) as [Maybe, Maybe]);
  return { ...d, mean: d.mean === null ? null : by(d.mean), quantiles: each(d.quantiles, by), ...(interval && { interval }) };
}

function changed<T>(all: Record<string, T>, of: Quantities, by: (one: T, q: Quantity) => T): Record<string, T> {
  return Object.fromEntries(
    Object.entries(all).map(([name, one]) => {
      const q = of[name];
      return [name, q ? by(one, q) : one];
    }),
  );
}

/** Gives a result in the units of the plant; what is no value of a quantity (an energy, a time) stays as it was asked for. */
export function inPlantUnits(result: Result, question: Question, quantities: Quantities): Result {
  const watched = result.watch.map(({ name, unit }) => {
    const q = quantities[name];
    return q && q.unit === unit ? q : undefined;
  });
  const figures: Quantities = {};
  for (const kpi of question.kpis) {
    const q = quantities[kpi.of];
    if (q && q.unit === kpi.unit && (kpi.factor ?? 1) === 1 && VALUES.includes(kpi.statistic)) figures[kpi.name] = q;
  }
  const future = (f: Future): Future => ({
    ...f,
    bands: f.bands.map((fan, i) => {
      const q = watched[i];
      return q ? fan.map((line) => each(line, (si) => shown(si, q))) : fan;
    }),
    figures: changed(f.figures, figures, figureShown),
    differences: changed(f.differences, figures, differenceShown),
  });
  return {
    ...result,
    watch: result.watch.map((w, i) => ({ ...w, unit: watched[i]?.shown_unit ?? w.unit })),
    kpis: result.kpis.map((k) => ({ ...k, unit: figures[k.name]?.shown_unit ?? k.unit })),
    futures: result.futures.map(future),
  };
}
