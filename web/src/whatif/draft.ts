/** What is about to be asked, as it stands in the address: who copies it sees the same sliders. */

export type Course = "at once" | "ramp" | "for a while";

/** A change by a share of the value (`scale`) or, where that is nothing, by an amount (`add`). */
export interface Draft {
  of: string;
  how: "scale" | "add";
  by: number;
  course: Course;
  /** Hours from now, of what holds for a while. */
  from: number;
  to: number;
}

const COURSES: readonly Course[] = ["at once", "ramp", "for a while"];

/** Reads `demand*1.15@0;speed+3@2:1:4`; what cannot be read is left out. */
export function read(text: string | undefined): Draft[] {
  const found: Draft[] = [];
  for (const part of (text ?? "").split(";")) {
    const match = /^([^*+;]+)([*+])(-?[\d.e-]+)@([012])(?::([\d.]+):([\d.]+))?$/.exec(part);
    if (!match || !Number.isFinite(Number(match[3]))) continue;
    found.push({
      of: match[1] as string,
      how: match[2] === "*" ? "scale" : "add",
      by: Number(match[3]),
      course: COURSES[Number(match[4])] as Course,
      from: Number(match[5] ?? 0),
      to: Number(match[6] ?? 0),
    });
  }
  return found;
}

export function write(drafts: readonly Draft[]): string {
  return drafts
    .map((d) => {
      const span = d.course === "for a while" ? `:${d.from}:${d.to}` : "";
      return `${d.of}${d.how === "scale" ? "*" : "+"}${d.by}@${COURSES.indexOf(d.course)}${span}`;
    })
    .join(";");
}

/** Says a change in words: also the name of its scenario. */
export function inWords(d: Draft, unit: string): string {
  const sign = (value: number): string => `${value >= 0 ? "+" : "−"}${round(Math.abs(value))}`;
  const by = d.how === "scale" ? `${sign((d.by - 1) * 100)} %` : `${sign(d.by)} ${unit}`;
  const when = d.course === "ramp" ? " by and by" : d.course === "for a while" ? ` from ${d.from} to ${d.to} h` : "";
  return `${d.of} ${by}${when}`;
}

export function round(value: number): string {
  if (value !== 0 && (Math.abs(value) >= 1e6 || Math.abs(value) < 1e-3)) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}

/** The change as the API takes it. */
export function change(d: Draft, horizonS: number): Record<string, unknown> {
  const none = d.how === "scale" ? 1 : 0;
  if (d.course === "ramp") {
    const profile = [[0, none], [horizonS, d.by]];
    return { of: d.of, how: d.how, profile, shape: "linear" };
  }
  const span = d.course === "for a while" ? { start_s: d.from * 3600, end_s: d.to * 3600 } : {};
  return { of: d.of, how: d.how, value: d.by, ...span };
}
