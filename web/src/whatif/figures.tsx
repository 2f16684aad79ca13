/** The referee's figures side by side: the baseline, and what each scenario changes of it, member by member. */

import { unitText } from "../format";
import { round } from "./draft";
import { chance, isNone, missing, rowsOf, verdict } from "./judged";
import type { Difference, Figure, Offered, Result } from "./types";

const said = (value: number | null | undefined): string => (value === null || value === undefined ? "never" : round(value));

const percent = (share: number): string => `${Number((share * 100).toPrecision(2))} %`;

function Cell({ figure, met }: { figure: Figure | undefined; met: boolean }) {
  if (!figure) return <td>–</td>;
  if (met) return <td class="right number">{percent(figure.mean ?? 0)} <span class="quiet">of the members</span></td>;
  const q = figure.quantiles;
  return (
    <td class="right number">
      {said(q[q.length >> 1])}{" "}
      <span class="quiet">
        [{said(q[0])} … {said(q[q.length - 1])}]
      </span>
    </td>
  );
}

/** An event that comes only with the change, or only without it, has no mean of the difference: who leaves them out is wrong. */
function OneSided({ difference: { only_scenario: here = 0, only_baseline: there = 0, clear } }: { difference: Difference }) {
  const only = [here > 0 && `${percent(here)} only with it`, there > 0 && `${percent(there)} only without it`].filter(Boolean).join(", ");
  return (
    <td class="right" data-clear={clear ? "yes" : "no"}>
      comes in {only} <span class="quiet">{clear ? "clear" : "not clear"}; else never</span>
    </td>
  );
}

/** Where the mean of the differences lies, and how likely one like it is by chance. */
function Significance({ interval, p_value }: Difference) {
  const [low, high] = interval ?? [null, null];
  const signed = (value: number): string => `${value > 0 ? "+" : ""}${round(value)}`;
  const parts = [low !== null && high !== null && `[${signed(low)} … ${signed(high)}]`, chance(p_value)].filter(Boolean);
  return parts.length ? <div class="quiet">{parts.join(", ")}</div> : null;
}

/** Of an order: in how many more members of a hundred it is met. */
const ofHundred = (d: Difference): Difference => ({
  ...d, mean: d.mean === null ? null : 100 * d.mean,
  ...(d.interval && { interval: d.interval.map((end) => (end === null ? null : 100 * end)) as [number | null, number | null] }),
});

function Change({ difference, better }: { difference: Difference | undefined; better: string }) {
  if (difference && (difference.only_scenario || difference.only_baseline)) return <OneSided difference={difference} />;
  if (!difference || difference.mean === null) return <td>–</td>;
  if (isNone(difference)) return <td class="right quiet" data-clear="no">no difference</td>;
  const shape = !difference.clear ? "≈" : difference.mean > 0 ? "▲" : "▼";
  return (
    <td class="right number" data-clear={difference.clear ? "yes" : "no"}>
      {difference.mean > 0 ? "+" : ""}
      {round(difference.mean)} <span aria-hidden="true">{shape}</span>{" "}
      <span class="quiet">{[difference.clear ? "clear" : "not clear", verdict(difference, better)].filter(Boolean).join(", ")}</span>
      <Significance {...difference} />
    </td>
  );
}

const changed = (kpi: { statistic?: string }, d: Difference | undefined): Difference | undefined => (d && kpi.statistic === "met" ? ofHundred(d) : d);

interface Compared {
  results: { name: string; result: Result }[];
  chosen: readonly string[];
  offered: readonly Offered[];
}

export function Figures({ results, chosen, offered }: Compared) {
  const all = results.map(({ result }) => result);
  if (!all.length) return null;
  const later = missing(all, chosen, offered);
  return (
    <div class="scroll panel">
      <table class="whatif-figures">
        <thead>
          <tr>
            <th scope="col">Figure</th>
            <th scope="col">Unit</th>
            <th scope="col">Baseline, median [90 %]</th>
            {results.map(({ name }) => (
              <>
                <th scope="col">{name}</th>
                <th scope="col">Difference, mean [95 %]</th>
              </>
            ))}
          </tr>
        </thead>
        <tbody>
          {rowsOf(all, chosen, offered).map((kpi) => (
            <tr key={kpi.name} data-kpi={kpi.name}>
              <th scope="row">
                {kpi.name}
                {kpi.description && <div class="quiet">{kpi.description}</div>}
              </th>
              <td>{kpi.statistic === "met" ? "%" : unitText(kpi.unit)}</td>
              <Cell met={kpi.statistic === "met"} figure={all.map((r) => r.futures[0]?.figures[kpi.name]).find(Boolean)} />
              {results.map(({ result }) => (
                <>
                  <Cell met={kpi.statistic === "met"} figure={result.futures[1]?.figures[kpi.name]} />
                  <Change difference={changed(kpi, result.futures[1]?.differences[kpi.name])} better={kpi.better} />
                </>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {later.length > 0 && <p class="quiet">Not computed yet: {later.join(", ")}. Try it out again.</p>}
    </div>
  );
}

/** What mattered most for each figure, strongest first. */
export function Sensitivity({ result }: { result: Result }) {
  const shares = result.futures[1]?.sensitivity ?? {};
  const rows = Object.entries(shares).filter(([, share]) => Object.keys(share.coefficients).length > 0);
  if (!rows.length) return <p class="quiet">Nothing was taken as uncertain: every member is the same.</p>;
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Figure</th>
          <th scope="col">What mattered most (rank regression, −1 … +1)</th>
          <th scope="col">Explained</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(([kpi, share]) => (
          <tr key={kpi}>
            <th scope="row">{kpi}</th>
            <td>
              {Object.entries(share.coefficients)
                .sort(([, a], [, b]) => Math.abs(b) - Math.abs(a))
                .slice(0, 4)
                .map(([name, value]) => `${name} ${value.toFixed(2)}`)
                .join(", ")}
            </td>
            <td class="right number">{Math.round(share.explained * 100)} %</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
