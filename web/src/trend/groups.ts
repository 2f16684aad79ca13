/** Which signals share a plot: the same unit, at most so many that each line can still be told. */

import type { SignalInfo } from "../api/types";

export interface Group {
  key: string;
  unit: string;
  signals: SignalInfo[];
}

export const PENS = 4;

/** Groups in the order of the signals; a state stands alone, its words are its scale. */
export function groupsOf(signals: readonly SignalInfo[]): Group[] {
  const groups: Group[] = [];
  for (const signal of signals) {
    const room = groups.find(
      (group) =>
        signal.kind !== "state" &&
        group.unit === signal.unit &&
        group.signals.length < PENS &&
        group.signals[0]?.kind === signal.kind,
    );
    if (room) room.signals.push(signal);
    else groups.push({ key: signal.path, unit: signal.unit, signals: [signal] });
  }
  return groups;
}

const SETPOINT = /set_?point|_sp$/;

/** Whether a signal holds its value until it is set anew, so that its line is steps. */
export function inSteps(signal: SignalInfo): boolean {
  return signal.kind === "state" || SETPOINT.test(signal.name);
}


/** Trends that open first: the key values, and before them what they were told to be. */
export function firstShown(signals: readonly SignalInfo[], key: readonly SignalInfo[]): string[] {
  const told = signals.filter(({ name }) => SETPOINT.test(name)).slice(0, 1);
  return [...new Set([...told, ...key].map(({ name }) => name))];
}
