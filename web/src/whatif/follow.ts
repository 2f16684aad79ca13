/** Follows what-ifs until they have ended: four times a second, each by its id. */

import { useSignal, type Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { get, words } from "../api/http";
import { ended, type WhatIf } from "./types";

const EVERY_MS = 250;

/** Gives the jobs by id; an error stands as words. */
export function useJobs(ids: readonly string[]): Signal<Record<string, WhatIf | string>> {
  const jobs = useSignal<Record<string, WhatIf | string>>({});
  useEffect(() => {
    let gone = false;
    let timer = 0;
    const look = async (): Promise<void> => {
      let open = false;
      for (const id of ids) {
        const known = jobs.peek()[id];
        if (known && (typeof known === "string" || ended(known))) continue;
        const next = await get<WhatIf>(`scenarios/${id}`).catch((error: unknown) => words(error));
        if (gone) return;
        jobs.value = { ...jobs.peek(), [id]: next };
        open ||= typeof next !== "string" && !ended(next);
      }
      if (open) timer = window.setTimeout(() => void look(), EVERY_MS);
    };
    void look();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [ids.join()]);
  return jobs;
}
