/** Says of a reading that is not as expected since when, and who is suspected how much; of one not listened to why. */

import { isoTime, nameText } from "../format";
import type { Instead, Out, Residual, Suspect } from "./types";

const NAMED = 3;
/** A suspect less probable than this is not named beside another. */
const LEAST = 0.01;
/** Known less than that, a hybrid is asked outside of what it was trained on. */
const OUTSIDE = 0.1;

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
  const unasked = out.missing.length ? ` Not asked, for they read nothing: ${out.missing.map(nameText).join(", ")}.` : "";
  return `Not as expected since ${isoTime(out.since, zone)}.${who}${unasked}`;
}

const WHY = {
  aside: "The sensor is not listened to, its error is too large",
  blamed: "The sensor is not listened to, it is to blame",
  missing: "The sensor reads nothing",
};

/** As in "The sensor is not listened to, it is to blame, since 2026-03-01 12:30:05: what is estimated stands for it." */
export function insteadText({ why, since }: Instead, zone: string): string {
  return `${WHY[why]}, since ${isoTime(since, zone)}: what is estimated stands for it.`;
}

/** All that is to be said of a reading that is, or was, not as expected, or not listened to; empty: nothing is. */
export function residualText(residual: Residual, zone: string): string {
  const { out, instead } = residual;
  if (!out && !instead) return "";
  return [out && outText(out, zone), instead && insteadText(instead, zone), byText(residual)].filter(Boolean).join(" ");
}

/** As in "Expected by CascadedTanks, parameters version 3, 93 % physics." */
export function byText({ by, parameters, hybrid }: Residual): string {
  if (!by) return "";
  const version = parameters === null ? "" : parameters ? `, parameters version ${parameters}` : ", parameters of the plant file";
  const share = hybrid?.physics_share == null ? "" : `, ${Math.round(100 * hybrid.physics_share)} % physics`;
  const outside = (hybrid?.known_now ?? 1) < OUTSIDE ? " Outside of what was learned just now: by physics alone." : "";
  return `Expected by ${by.split(":").at(-1)}${version}${share}.${outside}`;
}
