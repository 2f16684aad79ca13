/** What is looked at, in the address: `#/asset/acme/riverside/pump-1?span=3600`. Whoever copies it sees the same. */

export type ViewName = "overview" | "asset" | "alarms" | "commands" | "compare" | "quality" | "audit" | "whatif";

const VIEWS: readonly ViewName[] = ["overview", "asset", "alarms", "commands", "compare", "quality", "audit", "whatif"];

export interface Route {
  view: ViewName;
  /** Path of the namespace the view is about; empty is the whole plant. */
  path: string;
  query: Readonly<Record<string, string>>;
}

/** Reads a hash; what cannot be read is the overview. */
export function parse(hash: string): Route {
  const [where = "", search = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [name = "", ...rest] = where.split("/");
  const view = VIEWS.find((known) => known === name) ?? "overview";
  const path = view === name ? rest.map(decodeURIComponent).join("/") : "";
  return { view, path, query: Object.fromEntries(new URLSearchParams(search)) };
}

/** Writes a route as a hash; entries that are empty or undefined leave the address. */
export function toHash(
  view: ViewName,
  path = "",
  query: Readonly<Record<string, string | number | undefined>> = {},
): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") search.set(key, String(value));
  }
  const where = path ? `/${path.split("/").map(encodeURIComponent).join("/")}` : "";
  const text = search.toString();
  return `#/${view}${where}${text ? `?${text}` : ""}`;
}
