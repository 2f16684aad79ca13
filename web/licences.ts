import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { Plugin } from "vite";

/** The package folder a bundled module comes from, or null for our own source. */
function packageOf(id: string): string | null {
  const match = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id.replaceAll("\\", "/"));
  return match?.[1] ?? null;
}

function entry(folder: string): string {
  const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Record<string, string>;
  const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
  if (file === undefined) throw new Error(`${about.name} is bundled but ships no licence text`);
  const text = readFileSync(join(folder, file), "utf8").trim();
  return `${about.name} ${about.version} (${about.license})\n\n${text}\n`;
}

/** Writes `licences.txt` beside the page: the licence of every package that ended up in the bundle. */
export function licences(): Plugin {
  return {
    name: "gemel-licences",
    generateBundle(_options, bundle) {
      const folders = new Set<string>();
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== "chunk") continue;
        for (const id of Object.keys(chunk.modules)) {
          const folder = packageOf(id);
          if (folder !== null && existsSync(join(folder, "package.json"))) folders.add(folder);
        }
      }
      const parts = [...folders].sort().map(entry);
      const source = ["This page contains the following packages.\n", ...parts].join(`\n${"-".repeat(72)}\n\n`);
      this.emitFile({ type: "asset", fileName: "licences.txt", source });
    },
  };
}
