/** What a set of trends holds: per signal the rows of the window, fetched and then continued live. */

import { get, words } from "../api/http";
import type { History, SignalInfo } from "../api/types";
import { type Band, bandOf } from "../expected/band";
import type { Cell } from "../live/cells";
import { type Hole, holesOf } from "./holes";
import { appendLive, empty, fromHistory, type Rows, trim } from "./rows";
import { isoOf } from "../time/zoned";
import type { Window } from "./window";

export class TrendData {
  private readonly rows = new Map<string, Rows>();
  private readonly waiting = new Map<string, Cell[]>();
  private readonly bands = new Map<string, Band>();
  private readonly holes = new Map<string, Hole[]>();
  private abort: AbortController | null = null;
  /** How the last answer was made (raw, decimated), by signal. */
  readonly mode = new Map<string, History["mode"]>();
  error: string | null = null;

  of(path: string): Rows {
    return this.rows.get(path) ?? empty();
  }

  /** Where a signal is expected; null where nothing expects anything of it. */
  bandOf(path: string): Band | null {
    return this.bands.get(path) ?? null;
  }

  /** What damage took of the window. */
  holesOf(path: string): readonly Hole[] {
    return this.holes.get(path) ?? [];
  }

  /** Asks where signals are expected over a window; a band that is not answered stays as it was. */
  async askBands(paths: Iterable<string>, window: Window, points: number): Promise<void> {
    const query = { start: isoOf(window.start), end: isoOf(window.end), points, lane: "estimated" };
    const ask = async (signal: string): Promise<void> => {
      this.bands.set(signal, bandOf(await get<History>("history", { signal, ...query })));
    };
    await Promise.allSettled([...paths].map(ask));
  }

  /** Asks for all signals over a window; earlier questions are given up. Returns false when it was given up itself. */
  async ask(signals: readonly SignalInfo[], window: Window, points: number): Promise<boolean> {
    this.abort?.abort();
    const abort = new AbortController();
    this.abort = abort;
    for (const signal of signals) this.waiting.set(signal.path, []);
    try {
      await Promise.all(signals.map((signal) => this.askOne(signal, window, points, abort.signal)));
      this.error = null;
    } catch (error) {
      if (abort.signal.aborted) return false;
      this.error = words(error);
      this.goOn(signals);
    }
    return !abort.signal.aborted;
  }

  /** Takes a live value; while history is being asked it waits, so that none is lost in between. */
  take(signal: SignalInfo, cell: Cell, gapS: number): void {
    this.waiting.get(signal.path)?.push({ ...cell });
    const rows = this.rows.get(signal.path);
    if (rows) appendLive(rows, cell, gapS);
  }

  trim(start: number): void {
    for (const rows of this.rows.values()) trim(rows, start);
  }

  /** Where history does not answer, what comes live is drawn all the same. */
  private goOn(signals: readonly SignalInfo[]): void {
    for (const signal of signals) {
      const rows = this.rows.get(signal.path) ?? empty();
      for (const cell of this.waiting.get(signal.path) ?? []) appendLive(rows, cell, gapOf(signal));
      this.waiting.delete(signal.path);
      this.rows.set(signal.path, rows);
    }
  }

  private async askOne(signal: SignalInfo, window: Window, points: number, stop: AbortSignal): Promise<void> {
    const query = {
      signal: signal.path,
      start: isoOf(window.start),
      end: isoOf(window.end),
      points,
    };
    const history = await get<History>("history", query, stop);
    const rows = fromHistory(history);
    for (const cell of this.waiting.get(signal.path) ?? []) appendLive(rows, cell, gapOf(signal));
    this.waiting.delete(signal.path);
    this.rows.set(signal.path, rows);
    this.mode.set(signal.path, history.mode);
    this.holes.set(signal.path, holesOf(history));
  }
}

/** A silence longer than this is a gap: five times the expected interval, as history has it. */
export function gapOf(signal: SignalInfo): number {
  return 5 * (signal.interval_s || 6);
}
