/** Level 4: whether the data can be believed: per signal what came, what was refused and why. */

import { useEffect } from "preact/hooks";

import { get } from "../api/http";
import type { ConnectionQuality, SignalQuality } from "../api/types";
import { lastPart } from "../format";
import { useFetched } from "../parts/use-fetched";
import { route, setQuery } from "../route/current";
import { ConnectionPanel } from "./quality-connection";
import { QualityTable, rejectedOf } from "./quality-table";

const FRESH_MS = 5000;

interface Quality {
  items: SignalQuality[];
  connections: ConnectionQuality[];
}

function troubled(item: SignalQuality): boolean {
  return item.gaps + item.late + item.duplicate + item.jitter + rejectedOf(item) > 0 || item.received === 0;
}

export function QualityView() {
  const { find = "", only = "" } = route.value.query;
  const { data, error, again } = useFetched((signal) => get<Quality>("quality", {}, signal), []);
  useEffect(() => {
    const timer = setInterval(again, FRESH_MS);
    return () => clearInterval(timer);
  }, []);
  const items = data.value?.items ?? [];
  const found = items.filter((item) => item.signal.includes(find) && (only !== "trouble" || troubled(item)));
  return (
    <div class="quality-view">
      <h1>Data quality</h1>
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
        </span>
      </div>
      <QualityTable items={found} />
    </div>
  );
}
