/** The record as a CSV file. */

import type { Fact } from "./api/types";

const COLUMNS = ["seq", "recorded", "at", "kind", "actor", "subject", "reason", "cause", "body"] as const;

/** One cell of a CSV file: quoted where it must be, and never a formula (a cell that begins with = + - @). */
export function csvCell(value: unknown): string {
  const plain = typeof value === "object" && value !== null ? JSON.stringify(value) : String(value ?? "");
  const text = /^[=+\-@\t\r]/.test(plain) && typeof value !== "number" ? `'${plain}` : plain;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csvOf(facts: readonly Fact[]): string {
  const lines = facts.map((fact) => COLUMNS.map((column) => csvCell(fact[column])).join(","));
  return `${[COLUMNS.join(","), ...lines].join("\r\n")}\r\n`;
}
