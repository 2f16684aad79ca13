/** The alarm list: ordered, paged, to be acknowledged one by one or as far as it is in sight. */

import { useSignal } from "@preact/signals";

import { before, listed, needsAcknowledging } from "../alarm-order";
import { alarms, alarmsError } from "../alarms";
import type { Alarm } from "../api/types";
import { counts, flood } from "../live/live";
import { linked } from "../live/live";
import { PRIORITIES } from "../parts/alarm-shape";
import { may } from "../plant";
import { route, setQuery } from "../route/current";
import { AcknowledgeDialog, ShelveDialog } from "./alarm-dialogs";
import { AlarmRow } from "./alarm-row";

/** Rows of one page: what a person can see and so may acknowledge at once. */
const PAGE = 25;

const FILTERS: readonly (readonly [string, string, (alarm: Alarm) => boolean])[] = [
  ["", "All", listed],
  ["new", "To acknowledge", needsAcknowledging],
  ["active", "Active", (alarm) => alarm.active && alarm.state !== "shelved"],
  ["shelved", "Shelved", (alarm) => alarm.state === "shelved"],
];

function Filters({ now }: { now: string }) {
  return (
    <div class="group" role="group" aria-label="Which alarms">
      {FILTERS.map(([key, title]) => (
        <button type="button" key={key} aria-pressed={now === key} onClick={() => setQuery({ show: key, page: "" })}>
          {title}
        </button>
      ))}
      <select
        aria-label="Priority"
        value={route.value.query.priority ?? ""}
        onChange={(event) => setQuery({ priority: event.currentTarget.value, page: "" })}
      >
        <option value="">every priority</option>
        {PRIORITIES.map((priority) => (
          <option key={priority} value={String(priority)}>
            priority {priority}
          </option>
        ))}
      </select>
    </div>
  );
}

function Pages({ page, pages }: { page: number; pages: number }) {
  if (pages < 2) return null;
  return (
    <div class="group">
      <button type="button" disabled={page === 0} onClick={() => setQuery({ page: page - 1 || "" })}>
        Newer
      </button>
      <span class="quiet">
        page {page + 1} of {pages}
      </span>
      <button type="button" disabled={page + 1 >= pages} onClick={() => setQuery({ page: page + 1 })}>
        Older
      </button>
    </div>
  );
}

export function AlarmsView() {
  const { show = "", priority = "", page: wanted = "0" } = route.value.query;
  const acknowledging = useSignal<Alarm[] | null>(null);
  const shelving = useSignal<Alarm | null>(null);
  const keep = (FILTERS.find(([key]) => key === show) ?? FILTERS[0])?.[2] ?? listed;
  const found = alarms.value
    .filter((alarm) => keep(alarm) && (priority === "" || String(alarm.priority) === priority))
    .sort(before);
  const pages = Math.max(1, Math.ceil(found.length / PAGE));
  const page = Math.min(pages - 1, Math.max(0, Number(wanted) || 0));
  const visible = found.slice(page * PAGE, (page + 1) * PAGE);
  const open = visible.filter(needsAcknowledging);
  const able = may("operator") && linked.value;
  const now = counts.value;
  return (
    <div class="alarms">
      <h1>Alarms</h1>
      {flood.value && (
        <p class="flood" role="alert">
          <b>Alarm flood:</b> more than ten alarms in ten minutes. Look for the one marked “first out”.
        </p>
      )}
      {now && (
        <p class="quiet" aria-live="polite">
          {now.unacknowledged} not acknowledged, {now.acknowledged} acknowledged, {now.returned} returned and not
          acknowledged, {now.shelved} shelved
        </p>
      )}
      <div class="tools">
        <Filters now={show} />
        <button type="button" disabled={!able || open.length === 0} onClick={() => (acknowledging.value = open)}>
          Acknowledge {open.length === 1 ? "the one" : `the ${open.length}`} in sight…
        </button>
        <Pages page={page} pages={pages} />
        {!may("operator") && <span class="quiet">Log in as operator to acknowledge or shelve.</span>}
      </div>
      {alarmsError.value && <p role="alert">{alarmsError.value}</p>}
      <div class="scroll panel" tabIndex={0} role="region" aria-label="Alarms">
        <table class="alarm-list">
          <thead>
            <tr>
              <th scope="col">priority</th>
              <th scope="col">state</th>
              <th scope="col">raised</th>
              <th scope="col">what</th>
              <th scope="col">what to do</th>
              <th scope="col">
                <span class="unseen">actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {visible.map((alarm) => (
              <AlarmRow
                key={alarm.id}
                alarm={alarm}
                able={able}
                onAcknowledge={() => (acknowledging.value = [alarm])}
                onShelve={() => (shelving.value = alarm)}
              />
            ))}
          </tbody>
        </table>
        {visible.length === 0 && <p class="quiet">No alarm.</p>}
      </div>
      {acknowledging.value && (
        <AcknowledgeDialog alarms={acknowledging.value} onDone={() => (acknowledging.value = null)} />
      )}
      {shelving.value && <ShelveDialog alarm={shelving.value} onDone={() => (shelving.value = null)} />}
    </div>
  );
}
