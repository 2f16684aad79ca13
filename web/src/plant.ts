/** What the page knows of the plant and of the person in front of it. */

import { signal } from "@preact/signals";

import { escapePath, get, Problem, send, useToken } from "./api/http";
import type { Asset, Health, Role, Session } from "./api/types";
import { restart } from "./live/live";

export const health = signal<Health | null>(null);
export const session = signal<Session>({ user: null, role: "viewer", csrf: null });
/** Whether nothing is shown without a log-in: so it is on every address but loopback. */
export const closed = signal(false);

const RANK: Record<Role, number> = { viewer: 0, operator: 1, engineer: 2 };
const assets = new Map<string, Promise<Asset>>();

/** Whether the person may do what needs `role`. The twin checks again; this only spares a useless click. */
export function may(role: Role): boolean {
  return session.value.user !== null && RANK[session.value.role] >= RANK[role];
}

export function zone(): string {
  return health.value?.timezone || "UTC";
}

function take(next: Session): void {
  session.value = next;
  useToken(next.csrf);
}

export async function askHealth(): Promise<void> {
  health.value = await get<Health>("health");
}

export async function askSession(): Promise<void> {
  try {
    take(await get<Session>("session"));
    closed.value = false;
  } catch (error) {
    if (!(error instanceof Problem && error.status === 401)) throw error;
    take({ user: null, role: "viewer", csrf: null });
    closed.value = true;
  }
}

export async function logIn(user: string, password: string): Promise<void> {
  await send("POST", "session", { user, password });
  await askSession();
  restart();
}

export async function logOut(): Promise<void> {
  await send("DELETE", "session");
  await askSession();
  restart();
}

/** What an asset is; asked once and kept until the link was lost. */
export function asset(path: string): Promise<Asset> {
  let asked = assets.get(path);
  if (asked === undefined) {
    asked = get<Asset>(`assets/${escapePath(path)}`);
    asked.catch(() => assets.delete(path));
    assets.set(path, asked);
  }
  return asked;
}

export function forgetAssets(): void {
  assets.clear();
}
