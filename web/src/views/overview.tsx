/** Level 1 and 2: the plant or a part of it at a glance, what needs attention, and the values that matter. */

import { useMemo } from "preact/hooks";

import type { Asset, TreeNode } from "../api/types";
import { Breadcrumb } from "../parts/breadcrumb";
import { LiveQuality } from "../parts/live-quality";
import { LiveValue } from "../parts/live-value";
import { AnalogBar } from "../parts/analog-bar";
import { Spark } from "../parts/spark";
import { useFetched } from "../parts/use-fetched";
import { asset, tree } from "../plant";
import { nameText } from "../format";
import { route } from "../route/current";
import { toHash } from "../route/route";
import { keySignals } from "../synoptic/choose";
import { Synoptic } from "../synoptic/synoptic";
import { assetsUnder, find, singled } from "../tree";
import { Attention } from "./attention";
import { Parts } from "./parts-of";

/** Assets one picture holds and still can be read. */
const MOST = 40;

function Card({ of, index }: { of: Asset; index: number }) {
  const signal = keySignals(of)[index];
  if (!signal) return null;
  return (
    <a class="card" href={toHash("asset", of.path)}>
      <span class="card-name">
        <b>{of.title || nameText(of.name)}</b> {nameText(signal.name)}
      </span>
      <LiveQuality path={signal.path} quiet />
      <LiveValue signal={signal} />
      <AnalogBar signal={signal} />
      <Spark signal={signal} />
    </a>
  );
}

function Cards({ assets }: { assets: readonly Asset[] }) {
  const some = assets.slice(0, 12);
  return (
    <section class="panel" aria-label="Key values">
      <h2>Key values</h2>
      <div class="cards">
        {some.map((of) => (
          <Card key={of.path} of={of} index={0} />
        ))}
        {some.length <= 6 && some.map((of) => <Card key={`${of.path} 1`} of={of} index={1} />)}
      </div>
    </section>
  );
}

function Picture({ node, assets }: { node: TreeNode; assets: Asset[] | null }) {
  const all = useMemo(() => assetsUnder(node, MOST + 1), [node]);
  if (all.length > MOST) return <Parts node={node} />;
  if (assets === null) return <p class="quiet">Asking for the assets…</p>;
  return <Synoptic assets={assets} />;
}

export function OverviewView() {
  const root = tree.value;
  const { path } = route.value;
  const node = root ? (path ? find(root, path) : singled(root)) : null;
  const fetched = useFetched(async () => {
    if (!node) return null;
    const under = assetsUnder(node, MOST + 1);
    return under.length > MOST ? null : Promise.all(under.map((one) => asset(one.path)));
  }, [node]);
  if (!root) return <p class="quiet">Asking for the plant…</p>;
  if (!node) return <p role="alert">There is nothing at {path} in this plant.</p>;
  const assets = fetched.data.value;
  return (
    <div class="overview">
      <Breadcrumb path={node.path} />
      <section class="panel picture" aria-label="Synoptic">
        {fetched.error.value && <p role="alert">{fetched.error.value}</p>}
        <Picture node={node} assets={assets} />
      </section>
      <Attention under={node.path} assets={assets ?? []} />
      {assets && assets.length > 0 && <Cards assets={assets} />}
    </div>
  );
}
