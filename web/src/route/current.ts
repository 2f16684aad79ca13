/** The route now, as a signal, and the ways to change it. */

import { signal } from "@preact/signals";

import { parse, type Route, toHash, type ViewName } from "./route";

export const route = signal<Route>(parse(location.hash));

addEventListener("hashchange", () => {
  route.value = parse(location.hash);
});

/** Goes to a view and keeps the way back. */
export function go(view: ViewName, path = "", query: Record<string, string | number | undefined> = {}): void {
  location.hash = toHash(view, path, query);
}

/** Changes parts of the query in place; `keep` leaves a way back. */
export function setQuery(change: Record<string, string | number | undefined>, keep = false): void {
  const { view, path, query } = route.peek();
  const hash = toHash(view, path, { ...query, ...change });
  if (hash === location.hash) return;
  if (keep) location.hash = hash;
  else {
    history.replaceState(null, "", hash);
    route.value = parse(hash);
  }
}
