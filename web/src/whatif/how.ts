/** How an answer came about, in words: days that were leapt over, and how much of it is learned rather than physics. */

import type { Result } from "./types";

const DAY = 86_400;
const OPEN = "beyond all bounds";

/** What a reader should know of how the answer was found; nothing where there is nothing to say. */
export function howFound(result: Result): string[] {
  return [...(result.words ?? []).map(sentence), ...leapt(result), ...learned(result)];
}

/** That loops were left unsolved, and in how many members at most; empty where all were solved. */
export function unsolved({ futures }: Result): string {
  const most = Math.max(0, ...futures.map((f) => f.unsolved ?? 0));
  return most ? `The loops of the system are not solved in ${most} members: do not trust it.` : "";
}

function leapt({ leaps, kpis }: Result): string[] {
  if (!leaps) return [];
  if (leaps.reason) return [`Each step was taken: ${leaps.reason}.`];
  const errors = kpis.flatMap(({ name, unit }) => (name in leaps.errors ? [`${name} ${within(leaps.errors[name])} ${unit}`.trim()] : []));
  return [
    `${days(leaps.solved_s)} were solved step by step, the others leapt over by their mean, up to ${days(leaps.longest_s)} at once; good to ${errors.join(", ")}.`,
  ];
}

function learned({ hybrids = [] }: Result): string[] {
  return hybrids.flatMap(({ output, used, futures }) => {
    if (!used) return [`What was learned of ${output} does not fit its model any more: it is physics.`];
    const all = Object.values(futures);
    const least = Math.min(...all.map((f) => f.physics_share));
    const outside = all.some((f) => f.outside) ? " Somewhere it was asked outside of what it was trained on: there it is physics." : "";
    return [`${output} is ${Math.round(100 * least)} % physics, the rest learned.${outside}`];
  });
}

const sentence = (said: string): string => `${said.charAt(0).toUpperCase()}${said.slice(1)}.`;
const days = (seconds: number): string => `${Number((seconds / DAY).toPrecision(3))} days`;
const within = (error: number | null | undefined): string => (error === null || error === undefined ? OPEN : `${Number(error.toPrecision(2))}`);
