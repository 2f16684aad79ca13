/** Reading the record from the page: its newest facts, page after page back; all of it is a file that the twin writes. */

import { address, get, send } from "./api/http";
import type { Fact } from "./api/types";

export interface FactPage {
  items: Fact[];
  next: number | null;
}

export interface Chain {
  ok: boolean;
  checked: number;
  broken_at: number | null;
  head: string;
}

export interface Filter {
  kind: string;
  subject: string;
}

/** Facts that pass the filter, the newest first: those before a position, and up to a time (ISO). */
export async function newest(
  filter: Filter,
  most: number,
  { before, until }: { before?: number | undefined; until?: string | undefined },
  signal?: AbortSignal,
): Promise<FactPage> {
  return get<FactPage>("facts", { order: "newest", limit: most, after: before, until, ...filter }, signal);
}

/** Where the facts that pass the filter are a CSV file, the oldest first. */
export function csvAddress(filter: Filter): string {
  return address("facts", { format: "csv", ...filter });
}

const REVERTIBLE = new Set(["AlarmAcknowledged", "AlarmShelved", "AlarmSuppressed"]);

/** Whether a fact can be taken back at all; the twin decides whether it still stands. */
export function revertible(fact: Fact): boolean {
  return REVERTIBLE.has(fact.kind);
}

/** Takes a fact back by a compensating one. */
export async function revert(fact: Fact, reason: string): Promise<Fact> {
  return send<Fact>("POST", `facts/${fact.seq}/revert`, { reason });
}
