/** Level 3: one asset: values in context, trends, commands, what it belongs to. */

import type { Asset } from "../api/types";
import { before, listed } from "../alarm-order";
import { alarms } from "../alarms";
import { useResiduals } from "../expected/use-residuals";
import { lastPart, nameText, numberText, unitText } from "../format";
import { LifePanel } from "../life/panel";
import { Breadcrumb } from "../parts/breadcrumb";
import { QualityKey } from "../parts/quality-mark";
import { useFetched } from "../parts/use-fetched";
import { asset as askAsset } from "../plant";
import { route, setQuery } from "../route/current";
import { toHash } from "../route/route";
import { keySignals } from "../synoptic/choose";
import { firstShown } from "../trend/groups";
import { Trends } from "../trend/trends";
import { AlarmCard } from "./alarm-card";
import { Faceplate } from "./faceplate";
import { FidelityPanel } from "./fidelity";
import { Values } from "./values";

/** Names of the signals with a trend: those in the address, else the usual first ones. */
function chosen(asset: Asset): string[] {
  const named = route.value.query.trend;
  if (named === undefined) return firstShown(asset.signals, keySignals(asset));
  return named.split(",").filter((name) => asset.signals.some((signal) => signal.name === name));
}

function About({ asset }: { asset: Asset }) {
  const parameters = Object.entries(asset.parameters ?? {});
  return (
    <section class="panel about" aria-label="About">
      <h2>About</h2>
      {asset.description && <p>{asset.description}</p>}
      <dl class="facts">
        <dt>type</dt>
        <dd>{asset.type}</dd>
        {asset.relations.map(({ from, kind, to }) => (
          <RelationLine key={`${from}${kind}${to}`} here={asset.path} from={from} kind={kind} to={to} />
        ))}
        {parameters.map(([name, { value, unit }]) => (
          <>
            <dt>{nameText(name)}</dt>
            <dd>
              {typeof value === "number" ? numberText(value, Number.isInteger(value) ? 0 : 3) : (value ?? "–")}{" "}
              {unitText(unit)}
            </dd>
          </>
        ))}
      </dl>
      <p>
        <a href={toHash("quality", asset.path)}>Data quality of its signals</a>
        {" · "}
        <a href={toHash("compare", asset.path)}>Then and now</a>
        {" · "}
        <a href={toHash("whatif", asset.path)}>What if</a>
      </p>
      <details>
        <summary>Marks of quality</summary>
        <QualityKey />
      </details>
    </section>
  );
}

function RelationLine({ here, from, kind, to }: { here: string; from: string; kind: string; to: string }) {
  const other = from === here ? to : from;
  return (
    <>
      <dt>{from === here ? nameText(kind) : `${nameText(kind)} (from)`}</dt>
      <dd>
        <a href={toHash("asset", other)}>{lastPart(other)}</a>
      </dd>
    </>
  );
}

function Loaded({ asset }: { asset: Asset }) {
  const shown = chosen(asset);
  const residuals = useResiduals(asset.path);
  const own = alarms.value.filter((alarm) => alarm.asset === asset.path && listed(alarm)).sort(before);
  const show = (name: string, on: boolean): void => {
    const names = asset.signals.map((signal) => signal.name);
    const next = names.filter((one) => (one === name ? on : shown.includes(one)));
    setQuery({ trend: next.join(",") || "-" });
  };
  const told = { shown: new Set(shown), onShow: show, residuals };
  return (
    <div class="asset">
      <Breadcrumb path={asset.path} />
      {own.length > 0 && (
        <section class="own-alarms" aria-label="Alarms of this asset">
          {own.map((alarm) => (
            <AlarmCard key={alarm.id} alarm={alarm} />
          ))}
        </section>
      )}
      <Values {...told} signals={asset.signals.filter(({ prognosis }) => !prognosis)} />
      <div class="side">
        {asset.commands.length > 0 && (
          <section class="panel" aria-label="Commands">
            <h2>Commands</h2>
            {asset.commands.map((info) => (
              <Faceplate key={info.name} asset={asset} info={info} />
            ))}
          </section>
        )}
        <FidelityPanel asset={asset.path} />
        <About asset={asset} />
      </div>
      <LifePanel {...told} asset={asset.path} signals={asset.signals.filter(({ prognosis }) => prognosis)} />
      <Trends
        signals={asset.signals.filter((signal) => shown.includes(signal.name))}
        expected={new Set(residuals.keys())}
      />
    </div>
  );
}

export function AssetView() {
  const { path } = route.value;
  const { data, error } = useFetched(() => askAsset(path), [path]);
  if (data.value) return <Loaded asset={data.value} />;
  if (error.value) return <p role="alert">{error.value}</p>;
  return <p class="quiet">Asking for {lastPart(path)}…</p>;
}
