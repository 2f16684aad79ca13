/** How faithful the asset's model proved on readings that it had not seen, calibration by calibration: a line, and the last in words. */

import { get } from "../api/http";
import { sparkPath } from "../parts/spark-path";
import { useFetched } from "../parts/use-fetched";
import { pastTime } from "../time/shown";

interface Score {
  at: string;
  kind: string;
  version: number;
  fidelity: Record<string, number>;
  shadow: Record<string, number>;
  decision: string;
  words: string;
}

const SHOWN = 6;
const MOST = 1000;
const DECIDED: Record<string, string> = {
  release: "released",
  rolled_back: "in force again",
  released: "released by the gate",
  promoted: "promoted by the gate",
  kept: "kept",
  proposed: "waits for a person’s word",
  beside: "another runs beside",
  dropped: "the one beside was dropped",
  failed: "could not be judged",
};

/** A score is that of the output explained worst. */
function score(by: Record<string, number>): number {
  const values = Object.values(by);
  return values.length > 0 ? Math.min(...values) : Number.NaN;
}

function percent(by: Record<string, number>): string {
  const worst = score(by);
  return Number.isFinite(worst) ? `${(100 * worst).toFixed(1)} %` : "–";
}

export function FidelityPanel({ asset }: { asset: string }) {
  const { data } = useFetched((signal) => get<{ items: Score[] }>("fidelity", { asset, limit: MOST }, signal), [asset]);
  const end = pastTime.value ?? Number.POSITIVE_INFINITY;
  // the record has a release before the judgement that led to it, which is of data that ended earlier
  const items = (data.value?.items ?? []).filter((item) => Date.parse(item.at) / 1000 <= end).sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  const last = items[items.length - 1];
  if (last === undefined) return null;
  const points = items.map((item) => ({ time: Date.parse(item.at) / 1000, value: score(item.fidelity) }));
  const newest = Date.parse(last.at) / 1000;
  return (
    <section class="panel fidelity" aria-label="Fidelity of the model">
      <h2>Fidelity of the model</h2>
      <svg class="spark" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true">
        <path d={sparkPath(points, newest, Number.MAX_SAFE_INTEGER, 0.02)} vector-effect="non-scaling-stroke" />
      </svg>
      <table>
        <caption class="quiet">Explained part of the readings' variation, on data not fitted to; the output explained worst.</caption>
        <thead>
          <tr>
            <th scope="col">until</th>
            <th scope="col">version</th>
            <th scope="col">in force</th>
            <th scope="col">beside</th>
            <th scope="col">decided</th>
          </tr>
        </thead>
        <tbody>
          {items.slice(-SHOWN).reverse().map((item) => (
            <tr key={`${item.at}${item.decision}`} title={item.words} data-decision={item.decision}>
              <td>{item.at.slice(0, 16).replace("T", " ")}</td>
              <td>{item.kind === "parameters" ? item.version : `${item.kind} ${item.version}`}</td>
              <td>{percent(item.fidelity)}</td>
              <td>{percent(item.shadow)}</td>
              <td>{DECIDED[item.decision] ?? item.decision}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
