/** The record: who did what, when and why, with what it was before and after; and whether it is whole. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { get, words } from "../api/http";
import { csvOf } from "../csv";
import { type Chain, newest, walk } from "../facts";
import type { Fact } from "../api/types";
import { onFact } from "../live/live";
import { numberText } from "../format";
import { useFetched } from "../parts/use-fetched";
import { route, setQuery } from "../route/current";
import { FactRow } from "./fact-row";

const MOST = 200;
const PAUSE_MS = 500;

async function download(kind: string, subject: string): Promise<void> {
  const all: Fact[] = [];
  await walk({ kind, subject }, (items) => {
    all.push(...items);
    return true;
  });
  const url = URL.createObjectURL(new Blob([csvOf(all)], { type: "text/csv" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = "gemel-audit.csv";
  link.click();
  URL.revokeObjectURL(url);
}

function ChainState() {
  const { data, error, again } = useFetched((signal) => get<Chain>("facts/verify", {}, signal), []);
  const chain = data.value;
  return (
    <p class="chain" data-ok={chain ? String(chain.ok) : "unknown"} role="status">
      {error.value ?? ""}
      {chain?.ok && `The chain is whole: ${numberText(chain.checked, 0)} facts checked, head ${chain.head.slice(0, 12)}…`}
      {chain && !chain.ok && <b>The chain is broken at fact {chain.broken_at}: the record was changed.</b>}{" "}
      <button type="button" onClick={again}>
        Verify again
      </button>
    </p>
  );
}

/** Asks again soon after something new was recorded. */
function useAgainOnFacts(again: () => void): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | null = null;
    const stop = onFact(() => {
      timer ??= setTimeout(() => {
        timer = null;
        again();
      }, PAUSE_MS);
    });
    return () => {
      stop();
      if (timer !== null) clearTimeout(timer);
    };
  }, []);
}

export function AuditView() {
  const { kind = "", subject = "" } = route.value.query;
  const failed = useSignal<string | null>(null);
  const { data, error, again } = useFetched((signal) => newest({ kind, subject }, MOST, signal), [kind, subject]);
  useAgainOnFacts(again);
  const items = data.value ?? [];
  const save = (): void => {
    failed.value = null;
    download(kind, subject).catch((reason: unknown) => {
      failed.value = words(reason);
    });
  };
  return (
    <div class="audit">
      <h1>Audit</h1>
      <ChainState />
      <div class="tools">
        <label>
          Kind
          <input value={kind} onChange={(event) => setQuery({ kind: event.currentTarget.value.trim() })} />
        </label>
        <label>
          Subject
          <input value={subject} onChange={(event) => setQuery({ subject: event.currentTarget.value.trim() })} />
        </label>
        <button type="button" onClick={save}>
          Download CSV
        </button>
      </div>
      {(error.value ?? failed.value) && <p role="alert">{error.value ?? failed.value}</p>}
      <div class="scroll panel" tabIndex={0} role="region" aria-label="Facts">
        <table class="fact-list">
          <thead>
            <tr>
              <th scope="col" class="right">
                no.
              </th>
              <th scope="col">when</th>
              <th scope="col">who</th>
              <th scope="col">what</th>
              <th scope="col">about</th>
              <th scope="col">before</th>
              <th scope="col">after</th>
              <th scope="col">why</th>
            </tr>
          </thead>
          <tbody>
            {items.map((fact) => (
              <FactRow key={fact.seq} fact={fact} />
            ))}
          </tbody>
        </table>
        {items.length === 0 && data.value && <p class="quiet">No fact.</p>}
      </div>
      {items.length === MOST && <p class="quiet">The newest {MOST} are listed; the download has them all.</p>}
    </div>
  );
}
