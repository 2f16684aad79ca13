/** Per signal: rate, gaps, jitter, late, duplicate, corrected, rejected by reason. Sortable. */

import type { SignalQuality } from "../api/types";
import { isoTime, nameText, numberText } from "../format";
import { SortHeader } from "../parts/sort";
import { compare, type Key, orderOf } from "../parts/sort-order";
import { zone } from "../plant";
import { route } from "../route/current";
import { toHash } from "../route/route";

const SHOWN = 200;

export function rejectedOf(item: SignalQuality): number {
  return Object.values(item.rejected).reduce((sum, n) => sum + n, 0);
}

interface Column {
  key: string;
  title: string;
  hint: string;
  of(item: SignalQuality): Key;
}

const COLUMNS: readonly Column[] = [
  { key: "rate", title: "rate [1/s]", hint: "readings per second", of: (item) => item.rate_per_s },
  { key: "received", title: "received", hint: "readings that came", of: (item) => item.received },
  { key: "gaps", title: "gaps", hint: "silences longer than five intervals", of: (item) => item.gaps },
  { key: "jitter", title: "jitter", hint: "readings beside their beat", of: (item) => item.jitter },
  { key: "late", title: "late", hint: "older than the reading before", of: (item) => item.late },
  { key: "duplicate", title: "duplicate", hint: "the same reading again", of: (item) => item.duplicate },
  { key: "correction", title: "corrected", hint: "another value for the same time", of: (item) => item.correction },
  { key: "rejected", title: "rejected", hint: "kept, but marked bad or uncertain", of: rejectedOf },
  { key: "good", title: "good [%]", hint: "share of readings that are good", of: (item) => item.good_fraction },
];

function shown(column: Column, item: SignalQuality): string {
  const key = column.of(item);
  if (key === null || typeof key === "string") return key ?? "–";
  if (column.key === "good") return numberText(key * 100, 1);
  return numberText(key, column.key === "rate" ? 2 : 0);
}

export function reasonsText(rejected: Record<string, number>): string {
  const some = Object.entries(rejected).filter(([, n]) => n > 0);
  return some.map(([reason, n]) => `${nameText(reason)} ${n}`).join(", ") || "–";
}

function Row({ item }: { item: SignalQuality }) {
  const cut = item.signal.lastIndexOf("/");
  const parent = item.signal.slice(0, cut);
  return (
    <tr data-signal={item.signal}>
      <th scope="row">
        <a href={toHash("asset", parent)}>{parent.slice(parent.lastIndexOf("/") + 1)}</a>{" "}
        {nameText(item.signal.slice(cut + 1))}
      </th>
      {COLUMNS.map((column) => (
        <td key={column.key} class={`right number${column.of(item) === 0 ? " nil" : ""}`}>
          {shown(column, item)}
        </td>
      ))}
      <td>{reasonsText(item.rejected)}</td>
      <td class="number">{isoTime(item.last_time, zone())}</td>
    </tr>
  );
}

export function QualityTable({ items }: { items: readonly SignalQuality[] }) {
  const order = orderOf(route.value.query.sort, "signal");
  const column = COLUMNS.find(({ key }) => key === order.column);
  const keyOf = column ? column.of : (item: SignalQuality) => item.signal;
  const sorted = [...items].sort((a, b) => compare(keyOf(a), keyOf(b), order.down)).slice(0, SHOWN);
  return (
    <div class="scroll panel" tabIndex={0} role="region" aria-label="Quality by signal">
      <table class="quality-table">
        <thead>
          <tr>
            <SortHeader column="signal" title="signal" order={order} />
            {COLUMNS.map(({ key, title, hint }) => (
              <SortHeader key={key} column={key} title={title} order={order} hint={hint} right />
            ))}
            <th scope="col">reasons</th>
            <th scope="col">last reading</th>
          </tr>
        </thead>
        <tbody>
          {sorted.map((item) => (
            <Row key={item.signal} item={item} />
          ))}
        </tbody>
      </table>
      {items.length > SHOWN && (
        <p class="quiet">The first {SHOWN} in this order are shown; find or sort to see others.</p>
      )}
    </div>
  );
}
