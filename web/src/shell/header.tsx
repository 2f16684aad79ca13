/** What is always in sight: plant, navigation, alarms by priority, link, plant time, person. */

import { clockTime, dateTime, lastPart } from "../format";
import { counts, flood, link } from "../live/live";
import { AlarmShape, PRIORITIES } from "../parts/alarm-shape";
import { health, zone } from "../plant";
import { route } from "../route/current";
import { toHash, type ViewName } from "../route/route";
import { theme, toggleTheme } from "../theme";
import { inPast } from "../time/cursor";
import { shownTime } from "../time/shown";
import { Person } from "./person";
import { TimeButton } from "./time-bar";

/** Hands of a clock turned back. */
const PAST = "M7 3v4l-3 2M7 1a6 6 0 1 0 6 6";

const NAVIGATION: readonly (readonly [ViewName, string])[] = [
  ["overview", "Overview"],
  ["alarms", "Alarms"],
  ["commands", "Commands"],
  ["quality", "Data quality"],
  ["audit", "Audit"],
];

function Navigation() {
  const { view } = route.value;
  const here = view === "asset" || view === "compare" || view === "whatif" ? "overview" : view;
  return (
    <nav aria-label="Views">
      {NAVIGATION.map(([view, title]) => (
        <a key={view} href={toHash(view)} aria-current={view === here ? "page" : undefined}>
          {title}
        </a>
      ))}
    </nav>
  );
}

function AlarmCounts() {
  const now = counts.value;
  const unseen = (now?.unacknowledged ?? 0) + (now?.returned ?? 0);
  return (
    <a class="counts" href={toHash("alarms")}>
      <span class="unseen">Alarms:</span>
      {PRIORITIES.map((priority) => {
        const n = now?.by_priority[priority] ?? 0;
        return (
          <span key={priority} class={n > 0 ? "count" : "count zero"} data-priority={priority}>
            <AlarmShape priority={priority} state={n > 0 ? "acknowledged" : "normal"} />
            <b>{now ? n : "–"}</b>
          </span>
        );
      })}
      <span class="count-words">{flood.value ? "flood" : `${unseen} unseen`}</span>
    </a>
  );
}

function PlantTime() {
  const replay = health.value?.clock === "data";
  const whole = replay || inPast.value;
  return (
    <div class="time" title={`Plant time, ${zone()}`}>
      <time>{whole ? dateTime(shownTime.value, zone()) : clockTime(shownTime.value, zone())}</time>
      <small>{inPast.value ? "past" : replay ? "replay" : zone()}</small>
    </div>
  );
}

function LinkState() {
  const { state } = link.value;
  const past = state === "up" && inPast.value;
  const word = past ? "past" : { up: "live", lost: "link lost", connecting: "connecting" }[state];
  return (
    <span class="link" data-state={past ? "past" : state} role="status">
      <svg viewBox="0 0 14 14" aria-hidden="true">
        <path d={past ? PAST : state === "up" ? "M2 8l3.5 3.5L12 3.5" : "M3 3l8 8M11 3l-8 8"} />
      </svg>
      {word}
    </span>
  );
}

export function Header() {
  const dark = theme.value === "dark";
  return (
    <header class="top">
      <a class="plant" href={toHash("overview")}>
        {health.value?.title || lastPart(health.value?.plant ?? "") || "gemel"}
      </a>
      <Navigation />
      <div class="status">
        <AlarmCounts />
        <LinkState />
        <PlantTime />
        <TimeButton />
        <button type="button" class="plain" onClick={toggleTheme} aria-label={dark ? "Light page" : "Dark page"}>
          <svg viewBox="0 0 18 18" aria-hidden="true" class="icon">
            <circle cx="9" cy="9" r="6.5" />
            <path d="M9 2.5a6.5 6.5 0 0 1 0 13z" class="fill" />
          </svg>
        </button>
        <Person />
      </div>
    </header>
  );
}
