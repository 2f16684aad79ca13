/** The words for how far a value may be believed; the numbers are those of the value frame. */

export const QUALITIES = [
  "none",
  "good",
  "uncertain",
  "bad",
  "stale",
  "substituted",
  "simulated",
  "manual",
] as const;

export type Quality = (typeof QUALITIES)[number];

/** What each word means, for people who meet it the first time. */
export const MEANING: Record<Quality, string> = {
  none: "no reading yet",
  good: "measured and believed",
  uncertain: "measured, to be used with care",
  bad: "not to be used",
  stale: "old: the last value, no longer live",
  substituted: "put in place of a reading",
  simulated: "from a model, not measured",
  manual: "entered by a person",
};

export function qualityOf(code: number): Quality {
  return QUALITIES[code] ?? "none";
}

/** Quality of a stored row from its OPC UA status (Part 4, 7.39: the top two bits are the severity). */
export function qualityOfStatus(status: number): Quality {
  const code = (status & 0xffff0000) >>> 0;
  if (code === 0x40910000) return "substituted";
  if (code === 0x00960000) return "manual";
  const severity = (status >>> 30) & 3;
  return severity === 0 ? "good" : severity === 1 ? "uncertain" : "bad";
}
