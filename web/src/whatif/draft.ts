/** What is about to be asked, as it stands in the address: who copies it sees the same. All in the plant's units. */

import { unitText } from "../format";
import type { Quantity } from "./types";
import { shown, shownSpan, toSi } from "./units";

export type Course = "at once" | "ramp" | "for a while" | "profile";
export type Shape = "hold" | "linear";
/** Hours from now, and the value from then on. */
export type Point = readonly [number, number];

/** A change by a share of the value (`scale`), by an amount (`add`), to a value (`set`), or along a profile of values. */
export interface Draft {
  of: string;
  how: "scale" | "add" | "set";
  by: number;
  course: Course;
  /** Hours from now, of what holds for a while. */
  from: number;
  to: number;
  points: readonly Point[];
  shape: Shape;
}

export const COURSES: readonly Course[] = ["at once", "ramp", "for a while", "profile"];
/** Of a state: it is set at an instant, then the model moves it. */
export const INSTANTS: readonly Course[] = ["at once", "profile"];
const SIGNS: Record<string, Draft["how"]> = { "*": "scale", "+": "add", "=": "set" };
const signOf = (how: Draft["how"]): string => (how === "scale" ? "*" : how === "add" ? "+" : "=");

/** A share means nothing where zero is not nothing (°C), or where there is nothing to take a share of. */
export const byShare = (q: Quantity): boolean => q.value !== 0 && q.offset === 0;

export function draftOf(of: string, q: Quantity, hours: number): Draft {
  const how = byShare(q) ? "scale" : "add";
  return { of, how, by: how === "scale" ? 1 : 0, course: "at once", from: 0, to: hours, points: [], shape: "hold" };
}

/** Gives the value that a change comes to, in the plant's unit. */
export function becomes(d: Draft, q: Quantity): number {
  if (d.how === "set") return d.by;
  return d.how === "scale" ? shown(q.value * d.by, q) : shown(q.value, q) + d.by;
}

/** Tells whether a change changes nothing. */
export function isIdle(d: Draft, q: Quantity): boolean {
  if (d.course === "profile") return d.points.length === 0;
  return d.how === "scale" ? d.by === 1 : d.how === "add" ? d.by === 0 : toSi(d.by, q) === q.value;
}

/** Gives a draft another course; a profile begins with what the draft came to, held over the horizon. */
export function along(d: Draft, course: Course, q: Quantity, hours: number): Draft {
  if (course === "profile") {
    const value = Number(becomes(d, q).toPrecision(6));
    return { ...d, how: "set", by: 0, course, points: [[0, value], [hours, value]] };
  }
  if (d.course !== "profile") return { ...d, course };
  return { ...d, how: "set", by: d.points[d.points.length - 1]?.[1] ?? shown(q.value, q), course, points: [] };
}

const ONE = /^([^*+=;]+)([*+=])(-?[\d.]+(?:e[+-]?\d+)?)@([012])(?::([\d.]+):([\d.]+))?$/;
const MANY = /^([^*+=;]+)=([\d.]+:-?[\d.]+(?:e[+-]?\d+)?(?:,[\d.]+:-?[\d.]+(?:e[+-]?\d+)?)*)@(hold|linear)$/;

/** Reads `demand*1.15@0;speed+3@2:1:4;flow=300@0;flow=0:300,6:450@linear`; what cannot be read is left out. */
export function read(text: string | undefined): Draft[] {
  return (text ?? "").split(";").flatMap((part) => readOne(part) ?? []);
}

function readOne(part: string): Draft | undefined {
  const many = MANY.exec(part);
  if (many) {
    const points = (many[2] as string).split(",").map((p) => p.split(":").map(Number) as unknown as Point);
    if (!points.every((p) => p.every(Number.isFinite))) return undefined;
    return { of: many[1] as string, how: "set", by: 0, course: "profile", from: 0, to: 0, points, shape: many[3] as Shape };
  }
  const one = ONE.exec(part);
  if (!one || !Number.isFinite(Number(one[3]))) return undefined;
  return {
    of: one[1] as string,
    how: SIGNS[one[2] as string] as Draft["how"],
    by: Number(one[3]),
    course: COURSES[Number(one[4])] as Course,
    from: Number(one[5] ?? 0),
    to: Number(one[6] ?? 0),
    points: [],
    shape: "hold",
  };
}

export function write(drafts: readonly Draft[]): string {
  return drafts
    .map((d) => {
      if (d.course === "profile") return `${d.of}=${d.points.map((p) => p.join(":")).join(",")}@${d.shape}`;
      const span = d.course === "for a while" ? `:${d.from}:${d.to}` : "";
      return `${d.of}${signOf(d.how)}${d.by}@${COURSES.indexOf(d.course)}${span}`;
    })
    .join(";");
}

/** Says a change in words: also the name of its scenario. */
export function inWords(d: Draft, plantUnit: string): string {
  const unit = unitText(plantUnit);
  if (d.course === "profile") return `${d.of} ${d.points.map(([, value]) => round(value)).join(", ")} ${unit}`.trim();
  const sign = (value: number): string => `${value >= 0 ? "+" : "−"}${round(Math.abs(value))}`;
  const by = d.how === "scale" ? `${sign((d.by - 1) * 100)} %` : `${d.how === "set" ? `= ${round(d.by)}` : sign(d.by)} ${unit}`;
  const when = d.course === "ramp" ? " by and by" : d.course === "for a while" ? ` from ${d.from} to ${d.to} h` : "";
  return `${d.of} ${by.trim()}${when}`;
}

export function round(value: number): string {
  if (value !== 0 && (Math.abs(value) >= 1e6 || Math.abs(value) < 1e-3)) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}

/** The change as the API takes it: values in the plant's unit, which it says; before a profile begins nothing changes. */
export function change(d: Draft, horizonS: number, q: Quantity): Record<string, unknown> {
  const unit = d.how === "scale" ? {} : { unit: q.shown_unit };
  if (d.course === "profile") {
    const profile = [...d.points].sort(([a], [b]) => a - b).map(([hour, value]) => [hour * 3600, value]);
    return { of: d.of, how: "set", profile, shape: d.shape, start_s: profile[0]?.[0] ?? 0, ...unit };
  }
  if (d.course === "ramp") {
    const none = { scale: 1, add: 0, set: shown(q.value, q) }[d.how];
    return { of: d.of, how: d.how, profile: [[0, none], [horizonS, d.by]], shape: "linear", ...unit };
  }
  const span = d.course === "for a while" ? { start_s: d.from * 3600, end_s: d.to * 3600 } : {};
  return { of: d.of, how: d.how, value: d.by, ...unit, ...span };
}

/** How far a slider reaches to either side, in the plant's unit. */
export function reach(q: Quantity): number {
  if (q.low !== null && q.high !== null && q.high > q.low) return shownSpan(q.high - q.low, q);
  return q.offset === 0 ? 1 : 20;
}
