/** Level 1 and 2: the plant or a part of it at a glance, what needs attention, and the values that matter. */

import { get } from "../api/http";
import type { Asset, AssetPage, TreeNode } from "../api/types";
import { Breadcrumb } from "../parts/breadcrumb";
import { LiveQuality } from "../parts/live-quality";
import { LiveValue } from "../parts/live-value";
import { AnalogBar } from "../parts/analog-bar";
import { Spark } from "../parts/spark";
import { useFetched } from "../parts/use-fetched";
import { asset } from "../plant";
import { nameText } from "../format";
import { route } from "../route/current";
import { toHash } from "../route/route";
import { keySignals } from "../synoptic/choose";
import { Synoptic } from "../synoptic/synoptic";
import { nodeAt } from "../tree/branches";
import { branches, reveal, root } from "../tree/known";
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
  if (node.assets > MOST) return <Parts node={node} />;
  if (assets === null) return <p class="quiet">Asking for the assets…</p>;
  return <Synoptic assets={assets} />;
}

/** The assets at and under a node, where they are few enough for one picture. */
async function pictured(node: TreeNode, stop: AbortSignal): Promise<Asset[] | null> {
  if (node.assets > MOST) return null;
  const { items } = await get<AssetPage>("assets", { under: node.path, limit: MOST }, stop);
  const paths = items.map(({ path }) => path);
  return Promise.all((node.kind === "asset" ? [node.path, ...paths] : paths).map(asset));
}

export function OverviewView() {
  const { path } = route.value;
  const top = root.value;
  const way = useFetched(async () => (top && path ? reveal(path) : null), [path, top]);
  const node = top && path ? nodeAt(branches.value, path) : top;
  const fetched = useFetched(async (stop) => node && pictured(node, stop), [node?.path, top]);
  if (!node) {
    if (top && way.error.value) return <p role="alert">There is nothing at {path} in this plant.</p>;
    return <p class="quiet">Asking for the plant…</p>;
  }
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
