/** Which symbol an asset gets and which of its values stand beside it, from the words it is described with. */

import type { Asset, SignalInfo } from "../api/types";

export type SymbolName = "pump" | "tank" | "valve" | "demand" | "motor" | "exchanger" | "generic";

const WORDS: readonly (readonly [SymbolName, RegExp])[] = [
  ["pump", /pump|compressor|blower|fan\b|booster/],
  ["valve", /valve|damper|gate/],
  ["exchanger", /exchanger|cooler|heater|boiler|chiller/],
  ["tank", /tank|vessel|reservoir|silo|basin|drum|reactor/],
  ["motor", /motor|drive|engine|turbine|generator/],
  ["demand", /demand|consum|load\b|customer|network|city|outlet/],
];

/** The symbol for an asset: the words of its type decide first, then those of its name. */
export function symbolFor(type: string, name: string): SymbolName {
  for (const text of [type, name]) {
    const plain = text.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
    const found = WORDS.find(([, words]) => words.test(plain));
    if (found) return found[0];
  }
  return "generic";
}

const FIRST: Record<SymbolName, readonly string[]> = {
  pump: ["speed", "flow", "discharge_pressure", "pressure"],
  tank: ["level", "inflow", "outflow", "temperature"],
  valve: ["position", "flow", "pressure_drop"],
  demand: ["flow", "pressure"],
  motor: ["speed", "power", "current"],
  exchanger: ["temperature", "flow"],
  generic: ["temperature", "flow", "pressure", "level", "speed", "power"],
};

const SHOWN = 3;

/** At most three analogue signals that say most about the asset. */
export function keySignals(asset: Asset, most = SHOWN): SignalInfo[] {
  const wanted = FIRST[symbolFor(asset.type, asset.name)];
  const rank = (signal: SignalInfo): number => {
    const exact = wanted.indexOf(signal.name);
    if (exact >= 0) return exact;
    const part = wanted.findIndex((word) => signal.name.includes(word));
    const setpoint = /set_?point|_sp$|demand$/.test(signal.name) ? 100 : 0;
    return (part >= 0 ? 10 + part : 50) + setpoint;
  };
  return asset.signals
    .filter((signal) => signal.kind === "analog" && !signal.prognosis)
    .map((signal, index) => ({ signal, order: rank(signal) * 1000 + index }))
    .sort((a, b) => a.order - b.order)
    .slice(0, most)
    .map(({ signal }) => signal);
}

/** The state signal that says whether the asset runs, if it has one. */
export function runningSignal(asset: Asset): SignalInfo | null {
  const states = asset.signals.filter((signal) => signal.kind === "state");
  return states.find((signal) => /run|on_off|active|state|status/.test(signal.name)) ?? null;
}

/** Whether a state's word means that the equipment is on. */
export function meansRunning(word: string): boolean {
  return /^(run|running|on|active|open|started|true|yes)$/i.test(word);
}
