/** What if: futures of an asset tried out beside the plant. Framed, so that nobody takes it for the plant. */

import { useSignal } from "@preact/signals";

import { escapePath, get, send, words } from "../api/http";
import { isoTime, lastPart } from "../format";
import { Breadcrumb } from "../parts/breadcrumb";
import { useFetched } from "../parts/use-fetched";
import { may, zone } from "../plant";
import { route, setQuery } from "../route/current";
import { toHash } from "../route/route";
import { atQuery } from "../time/shown";
import { Choice } from "../whatif/choice";
import { change, COURSES, type Draft, INSTANTS, inWords, read, write } from "../whatif/draft";
import { FanChart, FanKey } from "../whatif/fan";
import { Figures, Sensitivity } from "../whatif/figures";
import { useJobs } from "../whatif/follow";
import { howFound, unsolved } from "../whatif/how";
import { chosenOf, written } from "../whatif/judged";
import { Slider } from "../whatif/slider";
import { byAsset, namesOf } from "../whatif/told-apart";
import { type Beginning, ended, type Offered, type Result, type WhatIf } from "../whatif/types";
import { everyQuantity, inPlantUnits } from "../whatif/units";

const MOST = 5;
const SPANS: Record<string, number> = { "a day": 24, "a week": 168, "a month": 730.5, "a year": 8766 };
const LONGEST_NAME = 80; // of a scenario
const number = (text: string | undefined, otherwise: number): number => {
  const found = Number(text);
  return text !== undefined && Number.isFinite(found) && found >= 0 ? found : otherwise;
};

function Running({ job, onStop }: { job: WhatIf; onStop(): void }) {
  return (
    <p class="whatif-running" role="status">
      <progress value={job.progress} max={1} aria-label={`${job.title}: how far`} />{" "}
      <b class="number">{Math.floor(job.progress * 100)} %</b> {job.state === "queued" ? "waits its turn" : "is computed"}:{" "}
      {job.title}{" "}
      <button type="button" onClick={onStop}>
        Stop it
      </button>
    </p>
  );
}

function Told({ job, onForget }: { job: WhatIf; onForget(): void }) {
  const r = job.result;
  return (
    <li data-job={job.id} data-state={job.state}>
      <b>{job.title}</b>{" "}
      {r && (
        <span class="quiet">
          from {isoTime(job.at, zone())}, {r.members} members, seed {r.seed}, {r.engine}, {(job.seconds ?? 0).toFixed(1)} s
        </span>
      )}
      {job.state === "failed" && <span role="alert"> failed: {job.problem} {job.remedy}</span>}
      {job.state === "cancelled" && <span> was stopped</span>}
      {r && howFound(r).map((line) => <span class="quiet"> {line}</span>)}
      {r && !r.converged && <span role="alert"> Halving the step still changed it: do not trust it.</span>}
      {r && r.futures.some((f) => f.failed > 0) && (
        <span role="alert"> {Math.max(...r.futures.map((f) => f.failed))} members did not stay finite; they are in no figure.</span>
      )}
      {r && unsolved(r) && <span role="alert"> {unsolved(r)}</span>}{" "}
      <button type="button" class="plain" onClick={onForget}>
        Leave out
      </button>
    </li>
  );
}

function Fans({ watched, done }: { watched: Result["watch"]; done: { name: string; result: Result }[] }) {
  const first = done[0]?.result;
  if (!first) return null;
  return (
    <div class="fans">
      {watched.map(({ name, unit }) => {
        const fans = [{ name: "baseline", times: first.times_s, bands: first.futures[0]?.bands[first.watch.findIndex((w) => w.name === name)] ?? [] }];
        for (const { name: scenario, result } of done) {
          const at = result.watch.findIndex((w) => w.name === name);
          fans.push({ name: scenario, times: result.times_s, bands: result.futures[1]?.bands[at] ?? [] });
        }
        return <FanChart key={name} quantity={name} unit={unit} fans={fans} />;
      })}
    </div>
  );
}

function Futures({ done, ...judged }: { done: { name: string; result: Result }[]; chosen: string[]; offered: Offered[] }) {
  const first = done[0]?.result;
  if (!first) return null;
  const named = [{ name: "baseline" }, ...done];
  const parts = byAsset(first.watch);
  const opened = parts.map(([part]) => part).find((part) => done.some(({ name }) => name.includes(`${part}/`))) ?? parts[0]?.[0];
  return (
    <>
      <Figures results={done} {...judged} />
      <FanKey fans={named} />
      {parts.map(([part, watched]) =>
        part ? (
          <details key={part} class="fans-of" open={part === opened}>
            <summary>
              {part}: {watched.length} quantities
            </summary>
            <Fans watched={watched} done={done} />
          </details>
        ) : (
          <Fans key={part} watched={watched} done={done} />
        ),
      )}
      <details>
        <summary>What matters most</summary>
        {done.map(({ name, result }) => (
          <section key={name}>
            <h3>{name}</h3>
            <Sensitivity result={result} />
          </section>
        ))}
      </details>
    </>
  );
}

function Loaded({ begun }: { begun: Beginning }) {
  const { query } = route.value;
  const drafts = read(query.set);
  const [hours, seed] = [number(query.h, 24), number(query.seed, 1)];
  const members = query.n ? number(query.n, 1000) : undefined; // left to who answers, where nobody says: fewer of an FMU
  const chosen = chosenOf(query.kpis, begun.kpis);
  const ids = (query.jobs ?? "").split(",").filter(Boolean).slice(-MOST);
  const jobs = useJobs(ids);
  const problem = useSignal("");
  const put = (name: string, next: Draft | null): void => {
    const rest = drafts.filter((d) => d.of !== name);
    setQuery({ set: write(next ? [...rest, next] : rest) });
  };
  const keep = (next: readonly string[]): void => setQuery({ jobs: next.join(",") });
  const all = { ...begun.quantities.inputs, ...begun.quantities.parameters, ...begun.quantities.states };
  const asked = drafts.flatMap((draft) => {
    const q = all[draft.of];
    return q ? [{ draft, q }] : [];
  });
  const title = asked.map(({ draft, q }) => inWords(draft, q.shown_unit)).join(", ").slice(0, LONGEST_NAME);
  const ask = async (): Promise<void> => {
    problem.value = "";
    try {
      const job = await send<WhatIf>("POST", "scenarios", {
        asset: begun.asset, at: query.at ?? begun.at, title, horizon_s: hours * 3600, seed, points: 121,
        ...(members !== undefined && { members }),
        ...(written(chosen, begun.kpis) !== undefined && { kpis: chosen }),
        scenarios: [{ name: title, changes: asked.map(({ draft, q }) => change(draft, hours * 3600, q)) }],
      });
      setQuery({ at: query.at ?? begun.at, jobs: [...ids.filter((id) => id !== job.id), job.id].slice(-MOST).join(",") });
    } catch (error) {
      problem.value = words(error);
    }
  };
  const stop = (id: string): void => {
    send("DELETE", `scenarios/${id}`).then(() => keep(ids.filter((one) => one !== id)), (error: unknown) => {
      problem.value = words(error);
    });
  };
  const known = ids.map((id) => jobs.value[id]).filter((job): job is WhatIf | string => job !== undefined);
  const found = known.filter((job): job is WhatIf => typeof job !== "string");
  const quantities = everyQuantity(begun);
  const told = found.flatMap((job) =>
    job.result ? [{ title: job.title || job.id, result: inPlantUnits(job.result, job.question, quantities) }] : [],
  );
  const names = namesOf(told);
  const done = told.map(({ result }, i) => ({ name: names[i] as string, result }));
  const slider = ([name, q]: [string, (typeof all)[string]]) => (
    <Slider key={name} name={name} quantity={q} courses={name in begun.quantities.states ? INSTANTS : COURSES} draft={drafts.find((d) => d.of === name)} hours={hours} onChange={(next) => put(name, next)} />
  );
  return (
    <div class="whatif" data-frame="what-if">
      <p class="whatif-banner">
        <b>WHAT IF</b> – not the plant. What is tried out here is computed; nothing of it is ever sent to the plant.
      </p>
      <Breadcrumb path={begun.asset} />
      <form
        class="panel whatif-form"
        aria-label="What is tried out"
        onSubmit={(event) => {
          event.preventDefault();
          void ask();
        }}
      >
        <h2>What changes</h2>
        <p class="quiet">
          From the state of {isoTime(query.at ?? begun.at, zone())}
          {query.at && (
            <>
              {" "}
              <button type="button" class="plain" onClick={() => setQuery({ at: undefined, jobs: undefined })}>
                begin with now
              </button>
            </>
          )}
          . What is left alone stays as it is.
        </p>
        {Object.entries(begun.quantities.inputs).map(slider)}
        <details open={drafts.some((d) => d.of in begun.quantities.parameters)}>
          <summary>Parameters: wear, settings, faults</summary>
          {Object.entries(begun.quantities.parameters).map(slider)}
        </details>
        <details open={drafts.some((d) => d.of in begun.quantities.states)}>
          <summary>States at the beginning: damage, fouling, levels</summary>
          {Object.entries(begun.quantities.states).map(slider)}
        </details>
        <Choice offered={begun.kpis} chosen={chosen} onChange={(next) => setQuery({ kpis: written(next, begun.kpis) })} />
        <div class="whatif-run">
          <label>
            Horizon [h] <input type="number" min={0.1} max={87660} step="any" value={hours} onChange={(e) => setQuery({ h: e.currentTarget.value })} />
          </label>
          <select aria-label="Horizon in words" value={Object.keys(SPANS).find((span) => SPANS[span] === hours) ?? ""} onChange={(e) => setQuery({ h: String(SPANS[e.currentTarget.value] ?? hours) })}>
            {["", ...Object.keys(SPANS)].map((span) => <option key={span} value={span}>{span || "…"}</option>)}
          </select>
          <label>
            Members <input type="number" min={1} max={100000} value={members ?? ""} placeholder="as usual" onChange={(e) => setQuery({ n: e.currentTarget.value })} />
          </label>
          <label>
            Seed <input type="number" min={0} value={seed} onChange={(e) => setQuery({ seed: e.currentTarget.value })} />
          </label>
          <button class="main" disabled={!asked.length || !may("operator")}>
            Try it out
          </button>
          {!may("operator") && <span class="quiet">Log in as operator or engineer to try it out.</span>}
        </div>
        {problem.value && <p role="alert">{problem.value}</p>}
      </form>
      {known.map((job) => typeof job === "string" && <p role="alert">{job}</p>)}
      {found.filter((job) => !ended(job)).map((job) => (
        <Running key={job.id} job={job} onStop={() => stop(job.id)} />
      ))}
      {found.some(ended) && (
        <ul class="whatif-jobs">
          {found.filter(ended).map((job) => (
            <Told key={job.id} job={job} onForget={() => keep(ids.filter((id) => id !== job.id))} />
          ))}
        </ul>
      )}
      <Futures done={done} chosen={chosen} offered={begun.kpis} />
    </div>
  );
}

export function WhatIfView() {
  const { path, query } = route.value;
  const at = query.at ? { at: query.at } : atQuery();
  const { data, error } = useFetched(() => get<Beginning>("whatif", { asset: path, ...at }), [path, query.at ?? ""]);
  if (data.value) return <Loaded begun={data.value} />;
  if (error.value)
    return (
      <div class="whatif" data-frame="what-if">
        <p role="alert">{error.value}</p>
        <p>
          <a href={toHash("asset", path)}>Back to {lastPart(path)}</a>
        </p>
      </div>
    );
  return <p class="quiet">Asking where {lastPart(escapePath(path))} stands…</p>;
}
