/** The commands asked for lately and what becomes of them, kept fresh by facts. */

import { signal } from "@preact/signals";

import { get, send, words } from "./api/http";
import type { Command, Role } from "./api/types";
import { epoch, onFact } from "./live/live";
import { effect } from "@preact/signals";
import { may, session } from "./plant";
import { inPast } from "./time/cursor";
import { atQuery, pastTime } from "./time/shown";

const PAUSE_MS = 200;

export const commands = signal<Command[]>([]);
export const commandsError = signal<string | null>(null);

let timer: ReturnType<typeof setTimeout> | null = null;

async function ask(): Promise<void> {
  try {
    const asked = pastTime.peek();
    const list = await get<{ items: Command[] }>("commands", atQuery());
    if (asked !== pastTime.peek()) return refreshCommands();
    commands.value = [...list.items].sort((a, b) => b.requested.localeCompare(a.requested));
    commandsError.value = null;
  } catch (error) {
    commandsError.value = words(error);
  }
}

export function refreshCommands(): void {
  timer ??= setTimeout(() => {
    timer = null;
    void ask();
  }, PAUSE_MS);
}

effect(() => {
  if (epoch.value > 0 && (!inPast.value || pastTime.value !== null)) refreshCommands();
});
onFact((fact) => {
  if (inPast.peek()) return;
  if (fact === null || /Command|Setpoint/.test(fact.kind)) refreshCommands();
});

export async function request(asset: string, command: string, value: number, reason: string): Promise<Command> {
  const made = await send<Command>("POST", "commands", { asset, command, value, reason });
  commands.value = [made, ...commands.value.filter((one) => one.id !== made.id)];
  refreshCommands();
  return made;
}

export type Decision = "approve" | "reject" | "cancel";

export async function decide(id: string, decision: Decision, reason: string): Promise<void> {
  try {
    await send<Command>("POST", `commands/${encodeURIComponent(id)}/${decision}`, { reason });
  } finally {
    refreshCommands();
  }
}

/** The decisions this person may take on a command now. */
export function decisionsFor(command: Command): Decision[] {
  if (command.state !== "awaiting_approval") return [];
  const own = command.requested_by === session.value.user;
  if (own) return ["cancel"];
  return may((command.approval ?? "engineer") as Role) ? ["approve", "reject"] : [];
}
