/** Numbers, units, ages and times as a control room reads them. */

const SUPERSCRIPT: Record<string, string> = { "2": "²", "3": "³" };
const UNIT_WORDS: Record<string, string> = {
  "1": "",
  degC: "°C",
  Cel: "°C",
  degF: "°F",
  percent: "%",
  ohm: "Ω",
  deg: "°",
};

/** A unit as people write it: `m3/h` becomes m³/h, `degC` °C, the unit one nothing. */
export function unitText(unit: string): string {
  const known = UNIT_WORDS[unit];
  if (known !== undefined) return known;
  return unit
    .replace(/\bdegC\b/g, "°C")
    .replace(/([a-zA-Z])([23])\b/g, (_all, letter: string, digit: string) => letter + (SUPERSCRIPT[digit] ?? digit))
    .replaceAll("*", "·");
}

type Bounds = readonly [number | null, number | null] | null | undefined;

/** Decimals that show about four significant digits over the signal's range. */
export function decimalsFor(range: Bounds): number {
  const both: readonly (number | null)[] = range ?? [];
  const ends = both.filter((end): end is number => end !== null && Number.isFinite(end));
  if (ends.length === 0) return 2;
  const largest = Math.max(...ends.map((end) => Math.abs(end)));
  if (largest === 0) return 2;
  return Math.min(4, Math.max(0, 3 - Math.floor(Math.log10(largest))));
}

/** A number with a fixed number of decimals, a real minus sign and thin spaces between thousands. */
export function numberText(value: number | null | undefined, decimals: number): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const [whole, fraction] = Math.abs(value).toFixed(decimals).split(".") as [string, string?];
  const grouped = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, "\u202f") : whole;
  const negative = value < 0 && Number(value.toFixed(decimals)) !== 0;
  return `${negative ? "−" : ""}${grouped}${fraction === undefined ? "" : `.${fraction}`}`;
}

/** Pads `text` behind, so that decimal points stand below each other in a column of up to `widest` decimals. */
export function padDecimals(text: string, decimals: number, widest: number): string {
  if (decimals >= widest) return text;
  const point = decimals === 0 ? "\u2008" : "";
  return text + point + "\u2007".repeat(widest - decimals);
}

/** How old, in the largest unit that still says something. */
export function ageText(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 0) return "ahead";
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.floor(seconds)} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = zone + JSON.stringify(options);
  let made = formats.get(key);
  if (made === undefined) {
    const timeZone = zone || "UTC";
    made = new Intl.DateTimeFormat("sv-SE", { ...options, timeZone, hourCycle: "h23" });
    formats.set(key, made);
  }
  return made;
}

const DATE: Intl.DateTimeFormatOptions = { year: "numeric", month: "2-digit", day: "2-digit" };
const CLOCK: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", second: "2-digit" };

/** `2026-03-01 12:30:05` in the plant's time zone; seconds since 1970 in. */
export function dateTime(seconds: number, zone: string): string {
  if (!Number.isFinite(seconds)) return "–";
  return format(zone, { ...DATE, ...CLOCK }).format(seconds * 1000);
}

export function clockTime(seconds: number, zone: string): string {
  if (!Number.isFinite(seconds)) return "–";
  return format(zone, CLOCK).format(seconds * 1000);
}

/** An ISO time of the API in the plant's time zone. */
export function isoTime(iso: string | null | undefined, zone: string): string {
  return iso ? dateTime(Date.parse(iso) / 1000, zone) : "–";
}

/** `set_speed` becomes `set speed`; nothing else is guessed. */
export function nameText(name: string): string {
  return name.replaceAll("_", " ");
}

export function lastPart(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
