/** Level 4: whether the data can be believed: per signal what came, what was refused and why. */

import { useEffect } from "preact/hooks";

import { get } from "../api/http";
import type { ConnectionQuality, SignalQuality } from "../api/types";
import { lastPart, nameText } from "../format";
import { useFetched } from "../parts/use-fetched";
import { route, setQuery } from "../route/current";
import { toHash } from "../route/route";
import { inPast } from "../time/cursor";
import { atQuery, pastTime } from "../time/shown";
import { ConnectionPanel } from "./quality-connection";
import { QualityTable, rejectedOf } from "./quality-table";

const FRESH_MS = 5000;

interface Quality {
  items: SignalQuality[];
  connections: ConnectionQuality[];
  next?: number | null;
}

/** How long the span before a past time is that is told of [s]. */
const SPAN_S = 600;

/** Signals asked for at once; of a larger plant one looks at an asset's own. */
const MOST = 1000;

function troubled(item: SignalQuality): boolean {
  return item.gaps + item.late + (item.duplicate ?? 0) + item.jitter + rejectedOf(item) > 0 || item.received === 0;
}

export function QualityView() {
  const { find = "", only = "" } = route.value.query;
  const { path } = route.value;
  const { data, error, again } = useFetched(
    (signal) => get<Quality>("quality", { asset: path || undefined, limit: MOST, span_s: SPAN_S, ...atQuery() }, signal),
    [path, pastTime.value],
  );
  useEffect(() => {
    if (inPast.value) return;
    const timer = setInterval(again, FRESH_MS);
    return () => clearInterval(timer);
  }, [inPast.value]);
  const items = data.value?.items ?? [];
  const found = items.filter((item) => item.signal.includes(find) && (only !== "trouble" || troubled(item)));
  return (
    <div class="quality-view">
      <h1>Data quality{path && ` of ${nameText(lastPart(path))}`}</h1>
      {path && <a href={toHash("quality")}>All signals</a>}
      {inPast.value && (
        <p class="quiet" role="note">
          Of the {SPAN_S / 60} minutes before the cursor's time, read from the readings that were kept. How the
          connections were is not kept.
        </p>
      )}
      {error.value && <p role="alert">{error.value}</p>}
      {(data.value?.connections ?? []).map((connection) => (
        <ConnectionPanel key={connection.name} connection={connection} />
      ))}
      <div class="tools">
        <label>
          Find a signal
          <input
            type="search"
            value={find}
            placeholder={items[0] ? lastPart(items[0].signal) : ""}
            onInput={(event) => setQuery({ find: event.currentTarget.value })}
          />
        </label>
        <button
          type="button"
          aria-pressed={only === "trouble"}
          onClick={() => setQuery({ only: only === "trouble" ? "" : "trouble" })}
        >
          Only with trouble
        </button>
        <span class="quiet">
          {found.length} of {items.length} signals
          {data.value?.next != null && `; only the first ${MOST} are looked at here, an asset's page leads to its own`}
        </span>
      </div>
      <QualityTable items={found} />
    </div>
  );
}
