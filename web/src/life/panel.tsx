/** Remaining life on the page of an asset: what was foretold, its fan, and what more load, another speed or an overhaul does. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";

import { get, Problem, send, words } from "../api/http";
import { isoTime, nameText } from "../format";
import { useFetched } from "../parts/use-fetched";
import { may, zone } from "../plant";
import { cursor, inPast } from "../time/cursor";
import { atQuery, pastTime } from "../time/shown";
import { type Props as ValueProps, ValueTable } from "../views/values";
import { LifeChart } from "./chart";
import { DAY_S, type LifeFuture, type Prognosis, type Wears } from "./types";
import { daysText, differenceText, lifeText, percent } from "./words";

const EVERY_MS = 250;
const LEAST = 20;
const LOOK_S = 60;

/** The last prognosis the twin made by itself up to the time of the cursor, or why there is none. */
async function last(asset: string, of: string): Promise<Prognosis | string> {
  const kept = await get<{ item: Prognosis | null; readings: number }>("life/last", { asset, of, ...atQuery() });
  if (kept.item) return kept.item;
  if (inPast.peek()) return "No prognosis of before that time is kept; what was foretold then stands among the values.";
  return kept.readings < LEAST
    ? `No estimate: only ${kept.readings} ${kept.readings === 1 ? "reading" : "readings"}, ${LEAST} are needed.`
    : "No estimate yet: it will be made when its time has come.";
}

function Rows({ futures, within }: { futures: LifeFuture[]; within: number }) {
  return (
    <table class="life-table">
      <thead>
        <tr>
          <th scope="col">if</th>
          <th scope="col">remaining life</th>
          <th scope="col">fails within {daysText(within)}</th>
        </tr>
      </thead>
      <tbody>
        {futures.map((f) => (
          <tr key={f.name} data-future={f.name}>
            <th scope="row">{f.name === "baseline" ? "all goes on" : f.name}</th>
            <td>{lifeText(f)}</td>
            <td class="number">{percent(f.risk.within)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface Choice {
  /** Percent of what it is, by signal. */
  load: Record<string, number>;
  action: string;
  days: number;
}

function inWords(choice: Choice, names: (signal: string) => string): string {
  const parts = Object.entries(choice.load).map(([signal, p]) => `${names(signal)} ${p >= 100 ? "+" : "−"}${Math.abs(p - 100)} %`);
  if (choice.action) parts.push(`${choice.action} ${choice.days ? `in ${choice.days} d` : "now"}`);
  return parts.join(", ");
}

function Form({ wears, choice, busy, onTry }: { wears: Wears; choice: Choice; busy: boolean; onTry(next: Choice, ask: boolean): void }) {
  const word = (signal: string): string => Object.keys(wears.words).find((w) => wears.words[w] === signal) ?? nameText(signal);
  const set = (signal: string, percent: number): void => {
    const { [signal]: _, ...rest } = choice.load;
    onTry({ ...choice, load: percent === 100 ? rest : { ...rest, [signal]: percent } }, false);
  };
  const title = inWords(choice, word);
  return (
    <form
      class="life-form"
      aria-label={`What if, for the ${nameText(wears.name)}`}
      onSubmit={(event) => {
        event.preventDefault();
        onTry(choice, true);
      }}
    >
      {Object.keys(wears.drives).map((signal) => (
        <label key={signal} class="life-slider" data-drive={signal}>
          <span class="name">{word(signal) === nameText(signal) ? word(signal) : `${word(signal)} (${nameText(signal)})`}</span>
          <input
            type="range" min={50} max={150} step={1} value={choice.load[signal] ?? 100}
            aria-valuetext={`${choice.load[signal] ?? 100} % of what it is`}
            onInput={(event) => set(signal, Number(event.currentTarget.value))}
          />
          <output class="number">{choice.load[signal] ?? 100} %</output>
        </label>
      ))}
      {Object.keys(wears.maintenance).length > 0 && (
        <label class="life-slider">
          <span class="name">maintenance</span>
          <select value={choice.action} onChange={(e) => onTry({ ...choice, action: e.currentTarget.value }, false)}>
            <option value="">none</option>
            {Object.entries(wears.maintenance).map(([action, left]) => (
              <option key={action} value={action}>
                {action} (leaves {percent(left)})
              </option>
            ))}
          </select>
          in{" "}
          <input
            type="number" min={0} max={3650} value={choice.days} aria-label="days until the maintenance" disabled={!choice.action}
            onChange={(e) => onTry({ ...choice, days: Math.max(Number(e.currentTarget.value) || 0, 0) }, false)}
          />{" "}
          d
        </label>
      )}
      <button class="main" disabled={!title || busy || !may("operator")}>
        Try it out
      </button>{" "}
      {!may("operator") && <span class="quiet">Log in as operator or engineer to try something out.</span>}
    </form>
  );
}

function One({ asset, wears, children }: { asset: string; wears: Wears; children: ComponentChildren }) {
  const then = pastTime.value === null ? null : Math.floor(pastTime.value / LOOK_S); // a moving cursor asks that seldom
  const { data, error } = useFetched(() => last(asset, wears.name), [asset, wears.name, then]);
  const choice = useSignal<Choice>({ load: {}, action: "", days: 0 });
  const job = useSignal<Prognosis | null>(null);
  const problem = useSignal("");
  const id = job.value?.id;
  const open = job.value?.state === "queued" || job.value?.state === "running";
  useEffect(() => {
    job.value = null; // what was tried from another time
  }, [cursor.value]);
  useEffect(() => {
    if (!id || !open) return;
    const timer = window.setInterval(() => {
      get<Prognosis>(`life/jobs/${id}`).then((next) => (job.value = next), (e: unknown) => (problem.value = words(e)));
    }, EVERY_MS);
    return () => clearInterval(timer);
  }, [id, open]);
  const onTry = async (next: Choice, ask: boolean): Promise<void> => {
    choice.value = next;
    if (!ask) return;
    problem.value = "";
    const title = inWords(next, (signal) => signal);
    try {
      job.value = await send<Prognosis>("POST", "life", {
        asset, of: wears.name, title,
        changes: Object.entries(next.load).map(([of, p]) => ({ of, how: "scale", value: p / 100 })),
        maintenance: next.action ? [{ action: next.action, in_s: next.days * DAY_S }] : [],
        ...atQuery(),
      });
    } catch (e) {
      problem.value = e instanceof Problem ? e.words : words(e);
    }
  };
  const tried = job.value?.result ?? null;
  const kept = typeof data.value === "string" ? null : data.value?.result ?? null;
  const result = tried ?? kept;
  const changed = tried?.futures[1] && { ...tried.futures[1], name: job.value?.title || "changed" };
  const base = result?.futures[0];
  return (
    <section class="panel life" aria-label={`Remaining life: ${nameText(wears.name)}`} data-degradation={wears.name}>
      <h2>Remaining life: {wears.description || nameText(wears.name)}</h2>
      {error.value && <p role="alert">{error.value}</p>}
      {typeof data.value === "string" && !tried && <p class="life-none">{data.value}</p>}
      {result && base && (
        <div class={changed ? "whatif" : ""} data-frame={changed ? "what-if" : undefined}>
          {changed && (
            <p class="whatif-banner">
              <b>WHAT IF</b> – not the plant: {changed.name}
            </p>
          )}
          <p>
            {inPast.value ? "Then" : "Now"} <b class="number">{result.level.value.toPrecision(3)}</b> ± {result.level.sd.toPrecision(2)} {result.unit} (estimated) of{" "}
            {result.threshold} {result.unit}, at {isoTime(result.at, zone())}.
          </p>
          <LifeChart result={result} changed={changed} />
          <Rows futures={changed ? [base, changed] : [base]} within={result.within_s} />
          {tried?.differences[0] && (
            <p class="life-difference" data-clear={tried.differences[0].clear}>
              What it does: <b>{differenceText(tried.differences[0])}</b>
            </p>
          )}
          <p class="quiet">
            Law: <code>{result.law}</code>
            {result.averaging.lost !== null && `; means of ${result.averaging.step_s} s lose ${(100 * result.averaging.lost).toFixed(2)} % of it`}
            {`; ${result.members} members, seed ${result.seed}`}
            {job.value?.seconds != null && tried ? `, ${job.value.seconds.toFixed(1)} s` : ""}
          </p>
        </div>
      )}
      {open && (
        <p role="status" class="whatif-running">
          <progress value={job.value?.progress ?? 0} max={1} aria-label="how far it is" /> is computed …
        </p>
      )}
      {job.value?.state === "failed" && <p role="alert">{job.value.problem} {job.value.remedy}</p>}
      {problem.value && <p role="alert">{problem.value}</p>}
      <Form wears={wears} choice={choice.value} busy={open} onTry={(next, ask) => void onTry(next, ask)} />
      {children}
    </section>
  );
}

/** The signals that what was foretold is kept in: until there was a prognosis they have no value. */
function Kept({ of, signals, ...told }: ValueProps & { of: string }) {
  if (signals.length === 0) return null;
  const open = signals.some(({ name }) => told.shown.has(name));
  return (
    <details class="life-kept" open={open}>
      <summary>Kept as signals: {signals.length} values with their history</summary>
      <ValueTable {...told} signals={signals} label={`Signals of the remaining life: ${nameText(of)}`} />
    </details>
  );
}

export function LifePanel({ asset, signals, ...told }: ValueProps & { asset: string }) {
  const { data, error } = useFetched(() => get<{ items: Wears[] }>("life", { asset }), [asset]);
  return (
    <>
      {error.value && <p role="alert">{error.value}</p>}
      {(data.value?.items ?? []).map((wears) => (
        <One key={`${asset}#${wears.name}`} asset={asset} wears={wears}>
          <Kept of={wears.name} signals={signals.filter(({ prognosis }) => prognosis === wears.name)} {...told} />
        </One>
      ))}
    </>
  );
}
