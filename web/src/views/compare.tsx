/** Then and now: the values of an asset at two times side by side, what differs, and the facts between. */

import type { Asset, SignalInfo } from "../api/types";
import { escapePath, get } from "../api/http";
import { decimalsFor, dateTime, isoTime, lastPart, nameText, numberText, padDecimals, unitText } from "../format";
import { Breadcrumb } from "../parts/breadcrumb";
import { QualityMark } from "../parts/quality-mark";
import { useFetched } from "../parts/use-fetched";
import { plantTime } from "../live/live";
import type { Quality } from "../live/quality";
import { asset as askAsset, zone } from "../plant";
import { route, setQuery } from "../route/current";
import { toHash } from "../route/route";
import { moveTo } from "../time/cursor";
import { pastTime } from "../time/shown";
import { fromZoned, isoOf, toZoned } from "../time/zoned";
import { type Compared, type Difference, markOf, type Standing } from "./differences";
import { kindText } from "./kind-text";

const DEFAULT_BACK_S = 3600;

function text(signal: SignalInfo, shown: Standing): string {
  if (shown.text) return shown.text;
  return numberText(shown.value, decimalsFor(signal.range));
}

function Side({ signal, shown, widest }: { signal: SignalInfo; shown: Standing; widest: number }) {
  const plain = text(signal, shown);
  return (
    <>
      <td class="right number">
        {signal.kind === "state" ? plain : padDecimals(plain, decimalsFor(signal.range), widest)}
      </td>
      <td>
        <QualityMark quality={shown.quality as Quality} />
      </td>
    </>
  );
}

function Row({ signal, line, widest }: { signal: SignalInfo; line: Compared; widest: number }) {
  const mark = markOf(line, signal);
  return (
    <tr data-property={line.property} data-changed={mark.changed ? "yes" : "no"}>
      <th scope="row">{nameText(line.property)}</th>
      <Side signal={signal} shown={line.before} widest={widest} />
      <Side signal={signal} shown={line.after} widest={widest} />
      <td class="right number">
        {line.delta === null || signal.kind === "state"
          ? "–"
          : `${line.delta > 0 ? "+" : ""}${numberText(line.delta, decimalsFor(signal.range) + 1)}`}
      </td>
      <td>{unitText(signal.unit)}</td>
      <td class="mark">
        <span aria-hidden="true">{mark.shape}</span> {mark.words}
      </td>
    </tr>
  );
}

function Times({ from, to }: { from: number; to: number | null }) {
  const change = (key: "then" | "against") => (event: Event) => {
    const at = fromZoned((event.currentTarget as HTMLInputElement).value, zone());
    if (Number.isFinite(at)) setQuery({ [key]: String(at) });
  };
  return (
    <div class="tools">
      <label>
        Then
        <input type="datetime-local" step="1" value={toZoned(from, zone())} onChange={change("then")} />
      </label>
      <label>
        Against
        <input
          type="datetime-local"
          step="1"
          value={to === null ? "" : toZoned(to, zone())}
          onChange={change("against")}
        />
      </label>
      <button type="button" aria-pressed={to === null} onClick={() => setQuery({ against: "" })}>
        Now
      </button>
      <button type="button" onClick={() => moveTo({ mode: "held", at: from })}>
        Take every view to then
      </button>
    </div>
  );
}

function Between({ told }: { told: Difference }) {
  return (
    <section class="panel" aria-label="Between the two">
      <h2>Between the two</h2>
      {told.alarms.length === 0 && told.facts.length === 0 && <p class="quiet">Nothing was recorded of this asset.</p>}
      <ul class="between">
        {told.alarms.map((alarm) => (
          <li key={alarm.id}>
            alarm <b>{nameText(lastPart(alarm.id).replace("#", " "))}</b>: {nameText(alarm.before)} →{" "}
            {nameText(alarm.after)}
          </li>
        ))}
        {told.facts.map((fact) => (
          <li key={fact.seq}>
            <time>{isoTime(fact.at, zone())}</time> {kindText(fact.kind)} by {fact.actor}
            {fact.reason ? `: ${fact.reason}` : ""}
          </li>
        ))}
      </ul>
      {told.more_facts && <p class="quiet">There are more: see the audit.</p>}
    </section>
  );
}

function Table({ asset, told }: { asset: Asset; told: Difference }) {
  const widest = Math.max(0, ...asset.signals.map((signal) => decimalsFor(signal.range)));
  const lines = new Map(told.properties.map((line) => [line.property, line]));
  return (
    <section class="panel" aria-label="Values then and now">
      <div class="scroll" tabIndex={0} role="region" aria-label="Table of differences">
        <table class="compare">
          <thead>
            <tr>
              <th scope="col">signal</th>
              <th scope="col" class="right">
                {dateTime(Date.parse(told.from) / 1000, zone())}
              </th>
              <th scope="col">quality</th>
              <th scope="col" class="right">
                {dateTime(Date.parse(told.to) / 1000, zone())}
              </th>
              <th scope="col">quality</th>
              <th scope="col" class="right">
                difference
              </th>
              <th scope="col">unit</th>
              <th scope="col">what differs</th>
            </tr>
          </thead>
          <tbody>
            {asset.signals.map((signal) => {
              const line = lines.get(signal.name);
              return line && <Row key={signal.path} signal={signal} line={line} widest={widest} />;
            })}
          </tbody>
        </table>
      </div>
    </section>
  );
}

export function CompareView() {
  const { path, query } = route.value;
  const known = Number.isFinite(plantTime.value);
  const from = Number(query.then) || pastTime.value || (known ? plantTime.peek() - DEFAULT_BACK_S : Number.NaN);
  const to = Number(query.against) || null;
  const { data, error, again } = useFetched(
    async (stop) => {
      if (!Number.isFinite(from)) return null;
      const times = { from: isoOf(from), to: to === null ? undefined : isoOf(to) };
      const [asset, told] = await Promise.all([
        askAsset(path),
        get<Difference>(`state/${escapePath(path)}/diff`, times, stop),
      ]);
      return { asset, told };
    },
    [path, query.then, pastTime.value, to, known],
  );
  return (
    <div class="compare-view">
      <Breadcrumb path={path} />
      <h1>Then and now</h1>
      <Times from={from} to={to} />
      {error.value && <p role="alert">{error.value}</p>}
      {data.value ? <Table {...data.value} /> : <p class="quiet">Asking for both times…</p>}
      {data.value && <Between told={data.value.told} />}
      <p>
        {to === null && (
          <button type="button" onClick={again}>
            Compare again
          </button>
        )}{" "}
        <a href={toHash("asset", path)}>Back to {nameText(lastPart(path))}</a>
      </p>
    </div>
  );
}
