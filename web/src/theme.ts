/** Light or dark grey: as the system says, until a person chooses. */

import { signal } from "@preact/signals";

export type Theme = "light" | "dark";

const KEY = "gemel.theme";
const system = matchMedia("(prefers-color-scheme: dark)");

function chosen(): Theme | null {
  const kept = localStorage.getItem(KEY);
  return kept === "light" || kept === "dark" ? kept : null;
}

export const theme = signal<Theme>("light");

function apply(): void {
  theme.value = chosen() ?? (system.matches ? "dark" : "light");
  document.documentElement.dataset.theme = theme.value;
}

export function startTheme(): void {
  apply();
  system.addEventListener("change", apply);
}

export function toggleTheme(): void {
  localStorage.setItem(KEY, theme.value === "dark" ? "light" : "dark");
  apply();
}
