/** The time cursor: in the past a bar that cannot be overlooked, with the ways forth, back, and to now. */

import { useSignal } from "@preact/signals";

import { ageText, dateTime } from "../format";
import { plantTime } from "../live/live";
import { zone } from "../plant";
import { route } from "../route/current";
import { toHash } from "../route/route";
import { cursor, inPast, LIVE, moveTo } from "../time/cursor";
import { pastBusy, pastError } from "../time/past-cells";
import { holdOrMove, pastTime, step } from "../time/shown";
import { fromZoned, toZoned } from "../time/zoned";

const STEPS: readonly (readonly [string, number])[] = [
  ["−1 h", -3600],
  ["−1 min", -60],
  ["−1 s", -1],
  ["+1 s", 1],
  ["+1 min", 60],
  ["+1 h", 3600],
];
const FIRST_STEP_S = 60;

/** In the header: the way into the past. */
export function TimeButton() {
  if (inPast.value) return null;
  return (
    <button
      type="button"
      class="plain"
      disabled={!Number.isFinite(plantTime.value)}
      onClick={() => step(-FIRST_STEP_S)}
      title="Take every view back in time"
    >
      Go back…
    </button>
  );
}

function When() {
  const typed = useSignal<string | null>(null);
  const at = pastTime.value ?? Number.NaN;
  const go = (event: Event): void => {
    event.preventDefault();
    const wanted = fromZoned(typed.value ?? "", zone());
    typed.value = null;
    if (!Number.isFinite(wanted)) return;
    moveTo(wanted >= plantTime.peek() ? LIVE : { mode: "held", at: wanted });
  };
  return (
    <form class="when" onSubmit={go}>
      <label>
        <span class="unseen">Time in {zone()}</span>
        <input
          type="datetime-local"
          step="1"
          value={typed.value ?? toZoned(at, zone())}
          onInput={(event) => (typed.value = event.currentTarget.value)}
        />
      </label>
      <button type="submit" disabled={typed.value === null}>
        Go
      </button>
    </form>
  );
}

export function TimeBar() {
  const at = pastTime.value;
  if (!inPast.value) return null;
  const moving = cursor.value.mode === "moving";
  const { view, path } = route.value;
  const behind = at === null ? "" : ageText(Math.max(0, Math.floor(plantTime.value - at)));
  return (
    <section class="time-bar" role="region" aria-label="Time cursor" data-testid="time-bar">
      <svg viewBox="0 0 18 18" aria-hidden="true" class="icon">
        <circle cx="9" cy="9" r="7" />
        <path d="M9 4.5V9l-3.5 2" />
      </svg>
      <p role="status">
        <b>
          Past: <time data-testid="past-time">{at === null ? "…" : dateTime(at, zone())}</time>
        </b>{" "}
        {zone()}, {behind} before now{moving ? ", moving on" : ""}. Not live; nothing can be commanded here.
      </p>
      <div class="group" role="group" aria-label="Move the cursor">
        {STEPS.map(([title, seconds]) => (
          <button type="button" key={title} onClick={() => step(seconds)}>
            {title}
          </button>
        ))}
      </div>
      <When />
      <button type="button" aria-pressed={moving} onClick={holdOrMove}>
        {moving ? "Hold" : "Move on"}
      </button>
      {view === "asset" && (
        <a class="button" href={toHash("compare", path)}>
          Then and now
        </a>
      )}
      <button type="button" class="main" onClick={() => moveTo(LIVE)}>
        Live
      </button>
      {pastError.value ? <span role="alert">{pastError.value}</span> : pastBusy.value && <span>…</span>}
    </section>
  );
}
