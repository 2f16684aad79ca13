/** The record: who did what, when and why, with what it was before and after; and whether it is whole. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { get } from "../api/http";
import { type Chain, csvAddress, newest } from "../facts";
import type { Fact } from "../api/types";
import { onFact } from "../live/live";
import { dateTime, numberText } from "../format";
import { useFetched } from "../parts/use-fetched";
import { zone } from "../plant";
import { route, setQuery } from "../route/current";
import { inPast } from "../time/cursor";
import { pastTime } from "../time/shown";
import { isoOf } from "../time/zoned";
import { FactRow } from "./fact-row";
import { RevertDialog } from "./revert-dialog";

const MOST = 100;
const PAUSE_MS = 500;

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
  const { kind = "", subject = "", before = "" } = route.value.query;
  const taking = useSignal<Fact | null>(null);
  const at = pastTime.value;
  const until = at === null ? undefined : isoOf(at);
  const { data, error, again } = useFetched(
    (signal) => newest({ kind, subject }, MOST, { before: Number(before) || undefined, until }, signal),
    [kind, subject, before, until],
  );
  useAgainOnFacts(() => inPast.peek() || again());
  const items = data.value?.items ?? [];
  const next = data.value?.next ?? null;
  const narrow = (change: Record<string, string>): void => setQuery({ ...change, before: "" });
  return (
    <div class="audit">
      <h1>Audit</h1>
      <ChainState />
      <div class="tools">
        <label>
          Kind
          <input value={kind} onChange={(event) => narrow({ kind: event.currentTarget.value.trim() })} />
        </label>
        <label>
          Subject
          <input value={subject} onChange={(event) => narrow({ subject: event.currentTarget.value.trim() })} />
        </label>
        <a class="button" href={csvAddress({ kind, subject })} download="gemel-facts.csv">
          Download CSV
        </a>
        <div class="group" role="group" aria-label="Pages of the record">
          <button type="button" disabled={before === ""} onClick={() => setQuery({ before: "" })}>
            Newest
          </button>
          <button type="button" disabled={next === null} onClick={() => setQuery({ before: next ?? "" }, true)}>
            Older
          </button>
        </div>
        {at !== null && <span class="quiet">What had happened by {dateTime(at, zone())}.</span>}
      </div>
      {error.value && <p role="alert">{error.value}</p>}
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
              <FactRow key={fact.seq} fact={fact} onRevert={() => (taking.value = fact)} />
            ))}
          </tbody>
        </table>
        {items.length === 0 && data.value && <p class="quiet">No fact.</p>}
      </div>
      {taking.value && <RevertDialog fact={taking.value} onDone={() => (taking.value = null)} />}
    </div>
  );
}
