/** The one socket of the page: it subscribes in bulk, reconnects by itself, and hands on what comes. */

import type { AlarmCounts, Fact } from "../api/types";
import { decode, type Frame } from "./frame";
import { backoff } from "./link";

export interface Heartbeat {
  up: boolean;
  age_s: number;
}

export type Message =
  | { type: "hello"; version: string; plant_time: string | null; fact: number; link: Heartbeat }
  | { type: "subscribed"; id: number; signals: string[]; wide: number[]; unknown: string[] }
  | { type: "fact"; seq: number; fact: Fact }
  | { type: "alarms"; counts: AlarmCounts; flood: boolean }
  | { type: "link"; up: boolean; age_s: number }
  | { type: "plant"; digest: string };

export interface Events {
  opened(): void;
  closed(): void;
  heard(): void;
  message(message: Message): void;
  frame(order: readonly string[], frame: Frame): void;
}

const SUBSCRIPTION = 1;

export class LiveSocket {
  private socket: WebSocket | null = null;
  private attempt = 0;
  private order: string[] = [];
  private wide: number[] = [];
  private signals: string[] = [];

  constructor(
    private readonly url: string,
    private readonly events: Events,
  ) {}

  connect(): void {
    const socket = new WebSocket(this.url);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => {
      this.attempt = 0;
      this.order = [];
      this.events.opened();
      this.request();
    };
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => this.take(event.data);
    socket.onclose = () => this.retry(socket);
  }

  /** Replaces the page's one subscription. */
  subscribe(signals: string[]): void {
    this.signals = signals;
    this.request();
  }

  /** Connects anew, for instance after a log-in changed who listens. */
  restart(): void {
    this.socket?.close();
  }

  private request(): void {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    this.socket.send(JSON.stringify({ op: "subscribe", id: SUBSCRIPTION, signals: this.signals }));
  }

  private retry(socket: WebSocket): void {
    if (this.socket !== socket) return;
    this.socket = null;
    this.events.closed();
    setTimeout(() => this.connect(), backoff(this.attempt++));
  }

  private take(data: string | ArrayBuffer): void {
    this.events.heard();
    if (typeof data !== "string") {
      const frame = decode(data, this.wide);
      // A frame in the order of an earlier subscription cannot be read with the new one.
      if (frame.id === SUBSCRIPTION && frame.value.length === this.order.length) {
        this.events.frame(this.order, frame);
      }
      return;
    }
    const message = JSON.parse(data) as Message;
    if (message.type === "subscribed") {
      this.order = message.signals;
      this.wide = message.wide;
    }
    this.events.message(message);
  }
}
