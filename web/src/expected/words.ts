/** Says of a reading that is not as expected since when, and who is suspected how much. */

import { isoTime, nameText } from "../format";
import type { Out, Residual, Suspect } from "./types";

const NAMED = 3;
/** A suspect less probable than this is not named beside another. */
const LEAST = 0.01;

function suspectText({ kind, name, probability }: Suspect): string {
  const part = probability < LEAST ? "< 1" : probability > 1 - LEAST ? "> 99" : String(Math.round(100 * probability));
  return `${kind} ${nameText(name)} ${part} %`;
}

/** As in "Not as expected since 2026-03-01 12:30:05. Suspected: sensor lower 97 % (drifting), model 2 %." */
export function outText(out: Out, zone: string): string {
  const [first, ...others] = out.suspects;
  const named = others.filter(({ probability }) => probability >= LEAST).slice(0, NAMED - 1);
  const who = first
    ? ` Suspected: ${[`${suspectText(first)} (${out.how})`, ...named.map(suspectText)].join(", ")}.`
    : "";
  const meanwhile = out.substituted ? " The sensor is not listened to meanwhile." : "";
  return `Not as expected since ${isoTime(out.since, zone)}.${who}${meanwhile}`;
}

/** As in "Expected by CascadedTanks, parameters version 3, 93 % physics." */
export function byText({ by, parameters, hybrid }: Residual): string {
  if (!by) return "";
  const version = parameters === null ? "" : parameters ? `, parameters version ${parameters}` : ", parameters of the plant file";
  const share = hybrid?.physics_share == null ? "" : `, ${Math.round(100 * hybrid.physics_share)} % physics`;
  return `Expected by ${by.split(":").at(-1)}${version}${share}.`;
}
