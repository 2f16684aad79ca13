/** Finds assets by words of their path or title; the twin looks, so that it does not matter how many there are. */

import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { get, words } from "../api/http";
import type { AssetPage } from "../api/types";
import { numberText } from "../format";
import { epoch } from "../live/live";
import { More } from "../parts/more";
import { root } from "../tree/known";
import { NodeLink } from "./node-link";

const PAUSE_MS = 200;
const SLICE = 50;

export function TreeSearch({ text }: { text: Signal<string> }) {
  return (
    <label class="tree-search">
      <span class="unseen">Find an asset</span>
      <input
        type="search"
        value={text.value}
        placeholder="Find an asset"
        onInput={(event) => (text.value = event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") text.value = "";
        }}
      />
    </label>
  );
}

/** The answer to a search: asked for once nothing was typed for a moment, and its next pages on scrolling. */
function useFound(text: string) {
  const page = useSignal<AssetPage | null>(null);
  const problem = useSignal("");
  const abort = useRef<AbortController | null>(null);
  const ask = async (before: AssetPage | null): Promise<void> => {
    abort.current?.abort();
    const mine = new AbortController();
    abort.current = mine;
    try {
      const query = { name: text, limit: SLICE, after: before?.next ?? undefined };
      const next = await get<AssetPage>("assets", query, mine.signal);
      if (mine.signal.aborted) return;
      page.value = { ...next, items: [...(before?.items ?? []), ...next.items] };
      problem.value = "";
    } catch (error) {
      if (!mine.signal.aborted) problem.value = words(error);
    }
  };
  useEffect(() => {
    const timer = setTimeout(() => void ask(null), PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.current?.abort();
    };
  }, [text, epoch.value]);
  return { page: page.value, problem: problem.value, more: () => void ask(page.peek()) };
}

export function FoundAssets({ text }: { text: string }) {
  const { page, problem, more } = useFound(text);
  const below = root.value?.path.length ?? 0;
  return (
    <>
      <p class="quiet" role="status">
        {page ? `${numberText(page.count, 0)} ${page.count === 1 ? "asset" : "assets"} found` : "Looking…"}
      </p>
      {problem && <p role="alert">{problem}</p>}
      <ul class="tree-found">
        {page?.items.map((asset) => (
          <li key={asset.path}>
            <div class="branch" data-kind="asset">
              <NodeLink node={{ ...asset, kind: "asset" }} note={asset.parent.slice(below + 1) || asset.type} />
            </div>
          </li>
        ))}
        {page && page.next !== null && (
          <li>
            <More left={page.count - page.items.length} shown={page.items.length} onMore={more} />
          </li>
        )}
      </ul>
    </>
  );
}
