/**
 * The latest value of each wanted signal, and who shows it. Values bypass the virtual DOM: a listener writes its
 * own text nodes, all of them in one flush per animation frame, and the latest value wins.
 */

import type { Frame } from "./frame";
import { type Quality, qualityOf } from "./quality";

export interface Cell {
  readonly path: string;
  value: number;
  quality: Quality;
  /** Plant time of the reading [s], NaN when never read. */
  time: number;
  /** Seconds between the reading's time and plant time, NaN when unknown. */
  age: number;
}

export type Listener = (cell: Cell) => void;

interface Entry {
  cell: Cell;
  listeners: Set<Listener>;
}

function unseen(path: string): Cell {
  return { path, value: Number.NaN, quality: "none", time: Number.NaN, age: Number.NaN };
}

export class Cells {
  private readonly entries = new Map<string, Entry>();
  private readonly dirty = new Set<Entry>();
  private scheduled = false;
  private lost = false;
  /** What stood at a past time, by path; null while live. */
  private past: ReadonlyMap<string, Cell> | null = null;

  constructor(
    /** Runs the flush at the next animation frame. */
    private readonly nextFrame: (flush: () => void) => void,
    /** Told when the set of wanted signals changed. */
    private readonly wantedChanged: () => void,
  ) {}

  /** Signals that somebody shows, in a stable order. */
  wanted(): string[] {
    return [...this.entries.keys()].sort();
  }

  /** Calls `listener` now and after every change, until the returned function is called. */
  watch(path: string, listener: Listener): () => void {
    let entry = this.entries.get(path);
    if (entry === undefined) {
      entry = { cell: unseen(path), listeners: new Set() };
      this.entries.set(path, entry);
      this.wantedChanged();
    }
    const held = entry;
    held.listeners.add(listener);
    listener(this.shown(held.cell));
    return () => {
      held.listeners.delete(listener);
      if (held.listeners.size === 0 && this.entries.get(path) === held) {
        this.entries.delete(path);
        this.wantedChanged();
      }
    };
  }

  /** The cell as it may be shown now, or null when nobody watches it. */
  peek(path: string): Cell | null {
    const entry = this.entries.get(path);
    return entry ? this.shown(entry.cell) : null;
  }

  /** Takes a frame whose order of signals is `order`. */
  apply(order: readonly string[], frame: Frame): void {
    const n = Math.min(order.length, frame.value.length);
    for (let i = 0; i < n; i++) {
      const entry = this.entries.get(order[i] as string);
      if (entry !== undefined) this.take(entry, frame, i);
    }
  }

  /** Marks every value as stale while nothing is heard (true), or as what it was (false). */
  setLost(lost: boolean): void {
    if (this.lost === lost) return;
    this.lost = lost;
    for (const entry of this.entries.values()) this.dirty.add(entry);
    this.schedule();
  }

  /** Shows what stood at a past time instead of what comes live; null goes back to live. */
  setPast(past: ReadonlyMap<string, Cell> | null): void {
    this.past = past;
    for (const entry of this.entries.values()) this.dirty.add(entry);
    this.schedule();
  }

  private take(entry: Entry, frame: Frame, i: number): void {
    const { cell } = entry;
    const value = frame.value[i] as number;
    const quality = qualityOf(frame.quality[i] as number);
    const changed = !Object.is(value, cell.value) || quality !== cell.quality;
    if (frame.age !== null) {
      cell.age = frame.age[i] as number;
      cell.time = frame.time - cell.age;
    } else if (changed && quality !== "stale") {
      // A frame without ages that brings a new value: the reading is at most one frame old.
      cell.age = 0;
      cell.time = frame.time;
    }
    cell.value = value;
    cell.quality = quality;
    if (!changed && frame.age === null) return;
    this.dirty.add(entry);
    this.schedule();
  }

  private shown(cell: Cell): Cell {
    if (this.past !== null) return this.past.get(cell.path) ?? unseen(cell.path);
    return this.lost && cell.quality !== "none" ? { ...cell, quality: "stale" } : cell;
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.nextFrame(() => this.flush());
  }

  private flush(): void {
    this.scheduled = false;
    const entries = [...this.dirty];
    this.dirty.clear();
    for (const entry of entries) {
      const cell = this.shown(entry.cell);
      for (const listener of entry.listeners) listener(cell);
    }
  }
}
