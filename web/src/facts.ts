/** Reading the record from the page: windows of it, newest first, and all of it as CSV. */

import { get } from "./api/http";
import type { Fact } from "./api/types";

const PIECE = 500;

export interface FactPage {
  items: Fact[];
  next: string | number | null;
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

/** Walks the record from the beginning; `take` gets piece after piece and may stop it by returning false. */
export async function walk(filter: Filter, take: (items: Fact[]) => boolean, signal?: AbortSignal): Promise<void> {
  let after = 0;
  for (;;) {
    const page = await get<FactPage>("facts", { after, limit: PIECE, ...filter }, signal);
    const last = page.items[page.items.length - 1];
    if (!last || !take(page.items) || page.next === null || page.next === undefined) return;
    after = last.seq;
  }
}

/** The newest facts that pass the filter, newest first. */
export async function newest(filter: Filter, most: number, signal?: AbortSignal): Promise<Fact[]> {
  let kept: Fact[] = [];
  await walk(
    filter,
    (items) => {
      kept = [...kept, ...items].slice(-most);
      return true;
    },
    signal,
  );
  return kept.reverse();
}
