/** Times as requests and people write them: ISO 8601, and in the plant's time zone. */

/** A time [s] in ISO 8601, to the nearest millisecond. */
export function isoOf(seconds: number): string {
  return new Date(Math.round(seconds * 1000)).toISOString();
}

/** How far a zone is ahead of UTC at a time [s]. */
function offsetOf(seconds: number, zone: string): number {
  const parts = new Intl.DateTimeFormat("sv-SE", {
    timeZone: zone || "UTC",
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  }).format(seconds * 1000);
  return Date.parse(`${parts.replace(" ", "T")}Z`) / 1000 - Math.floor(seconds);
}

/** Reads `2026-11-21T10:01:22` (or with a blank) in a zone as seconds since 1970; NaN where it cannot be read. */
export function fromZoned(text: string, zone: string): number {
  const plain = Date.parse(`${text.trim().replace(" ", "T")}Z`) / 1000;
  if (!Number.isFinite(plain)) return Number.NaN;
  const guess = plain - offsetOf(plain, zone);
  return plain - offsetOf(guess, zone); // the offset may be another one on the other side of a change of clocks
}

/** Writes a time as `2026-11-21T10:01:22` in a zone. */
export function toZoned(seconds: number, zone: string): string {
  if (!Number.isFinite(seconds)) return "";
  return new Date((Math.floor(seconds) + offsetOf(seconds, zone)) * 1000).toISOString().slice(0, 19);
}
