/** The page's live state: cells, link, plant time, counts of alarms, and the facts as they happen. */

import { computed, effect, signal } from "@preact/signals";

import { get } from "../api/http";
import type { AlarmCounts, Fact } from "../api/types";
import { inPast } from "../time/cursor";
import { Cells } from "./cells";
import { type Heard, judge, type Link } from "./link";
import { LiveSocket, type Message } from "./socket";

export const link = signal<Link>({ state: "connecting", what: "page", ageS: 0 });
/** Rises each time the page is connected anew: whoever holds fetched data fetches it again. */
export const epoch = signal(0);
/** Plant time of the last frame [s], NaN before the first. */
export const plantTime = signal(Number.NaN);
export const counts = signal<AlarmCounts | null>(null);
export const flood = signal(false);
/** Signals the page asked for and the twin does not know: a binding error is said, never hidden. */
export const unknown = signal<string[]>([]);
/** Whether commands and acknowledgements can reach the plant now: never from a page that shows the past. */
export const linked = computed(() => link.value.state === "up" && !inPast.value);
/** Rises when other signals are shown. */
export const wantedTurn = signal(0);

type FactListener = (fact: Fact | null) => void;
const factListeners = new Set<FactListener>();
let lastFact: number | null = null;

const heard: Heard = {
  open: false,
  lastMessage: null,
  started: performance.now(),
  twin: { up: true, ageS: 0, at: 0 },
};

let pending = false;
export const cells = new Cells(
  (flush) => requestAnimationFrame(flush),
  () => {
    if (pending) return;
    pending = true;
    queueMicrotask(() => {
      pending = false;
      socket.subscribe(cells.wanted());
      wantedTurn.value += 1;
    });
  },
);

/** Calls `listener` with every new fact, and with null when facts may have been missed. */
export function onFact(listener: FactListener): () => void {
  factListeners.add(listener);
  return () => factListeners.delete(listener);
}

function tell(fact: Fact | null): void {
  for (const listener of factListeners) listener(fact);
}

function takeFact(seq: number, fact: Fact): void {
  const missed = lastFact !== null && seq !== lastFact + 1;
  lastFact = seq;
  tell(fact);
  if (missed) tell(null);
}

function takeTwin(up: boolean, ageS: number): void {
  heard.twin = { up, ageS, at: performance.now() };
  judgeNow();
}

function take(message: Message): void {
  switch (message.type) {
    case "hello":
      lastFact = message.fact;
      takeTwin(message.link.up, message.link.age_s);
      if (message.plant_time) plantTime.value = Date.parse(message.plant_time) / 1000;
      break;
    case "subscribed":
      unknown.value = message.unknown;
      break;
    case "fact":
      takeFact(message.seq, message.fact);
      break;
    case "alarms":
      if (inPast.peek()) break; // what stands now is no news of then
      counts.value = message.counts;
      flood.value = message.flood;
      break;
    case "link":
      takeTwin(message.up, message.age_s);
      break;
    case "plant": // another plant file is in force: names may mean other signals, so all is asked for anew
      epoch.value += 1;
      tell(null);
      socket.subscribe(cells.wanted());
      break;
  }
}

function judgeNow(): void {
  const next = judge(heard, performance.now());
  const now = link.peek();
  const moved = next.state !== now.state || next.what !== now.what;
  if (moved || Math.floor(next.ageS) !== Math.floor(now.ageS)) link.value = next;
}

const url = new URL("api/v1/live", document.baseURI);
url.protocol = url.protocol.replace("http", "ws");
const socket = new LiveSocket(url.toString(), {
  opened() {
    heard.open = true;
    epoch.value += 1;
    if (epoch.value > 1) tell(null);
  },
  closed() {
    heard.open = false;
    judgeNow();
  },
  heard() {
    heard.lastMessage = performance.now();
    if (link.peek().state !== "up") judgeNow();
  },
  message: take,
  frame(order, frame) {
    plantTime.value = frame.time;
    cells.apply(order, frame);
  },
});

/** Begins to listen; called once. */
export function start(): void {
  socket.connect();
  setInterval(judgeNow, 100);
  effect(() => {
    const lost = link.value.state === "lost";
    cells.setLost(lost);
    document.documentElement.dataset.link = lost ? "lost" : "up";
  });
}

export function restart(): void {
  socket.restart();
}

/** Checks the counts by asking, where no event has told them yet. */
export async function askCounts(): Promise<void> {
  if (inPast.peek()) return; // the list of then tells them
  const list = await get<{ counts: AlarmCounts; flood: boolean }>("alarms", { limit: 1 });
  counts.value = list.counts;
  flood.value = list.flood;
}
