/** One thing that can be done differently: by how much or to what, and along which course. In the plant's unit. */

import { nameText, unitText } from "../format";
import { along, becomes, byShare, type Course, type Draft, draftOf, inWords, isIdle, reach, round } from "./draft";
import { Profile } from "./profile";
import type { Quantity } from "./types";
import { shown, toSi } from "./units";

interface Props {
  name: string;
  quantity: Quantity;
  courses: readonly Course[];
  draft: Draft | undefined;
  hours: number;
  onChange(draft: Draft | null): void;
}

function Range({ name, quantity: q, now, changed, onBy }: { name: string; quantity: Quantity; now: Draft; changed: boolean; onBy(by: number): void }) {
  const share = byShare(q);
  const [low, high, step] = share ? [50, 150, 1] : [-reach(q), reach(q), reach(q) / 100];
  const to = becomes(now, q);
  return (
    <label>
      <span class="name" title={q.description}>
        {nameText(name)}
      </span>
      <input
        type="range"
        min={low}
        max={high}
        step={step}
        disabled={now.course === "profile"}
        value={share ? Math.round((toSi(to, q) / q.value) * 100) : to - shown(q.value, q)}
        aria-valuetext={changed ? inWords(now, q.shown_unit) : "as it is"}
        onInput={(event) => onBy(share ? Number(event.currentTarget.value) / 100 : Number(event.currentTarget.value))}
      />
    </label>
  );
}

export function Slider({ name, quantity: q, courses, draft, hours, onChange }: Props) {
  const now = draft ?? draftOf(name, q, hours);
  const free = now.course === "profile";
  const put = (next: Draft): void => onChange(isIdle(next, q) ? null : next);
  const set = (next: Partial<Draft>): void => put({ ...now, ...next });
  return (
    <div class="what-slider" data-quantity={name} data-changed={draft ? "yes" : "no"}>
      <Range name={name} quantity={q} now={now} changed={!!draft} onBy={(by) => set({ how: byShare(q) ? "scale" : "add", by })} />
      <output class="number">
        {round(shown(q.value, q))} {unitText(q.shown_unit)}
      </output>
      {!free && (
        <span class="to">
          →{" "}
          <input
            type="number"
            step="any"
            aria-label={`${name} becomes`}
            value={Number(becomes(now, q).toPrecision(6))}
            onInput={(event) => {
              if (Number.isFinite(event.currentTarget.valueAsNumber)) set({ how: "set", by: event.currentTarget.valueAsNumber });
            }}
          />{" "}
          {unitText(q.shown_unit)}
        </span>
      )}
      <span class="quiet source" title={`from the ${q.source}`}>
        {q.source}
      </span>
      <span class="course">
        <select aria-label={`Course of ${name}`} value={now.course} onChange={(e) => put(along(now, e.currentTarget.value as Course, q, hours))}>
          {courses.map((course) => (
            <option key={course} disabled={!draft && course !== "profile" && course !== "at once"}>
              {course}
            </option>
          ))}
        </select>
        {now.course === "for a while" && (
          <>
            <input type="number" min={0} max={hours} step="any" aria-label="from, hours" value={now.from} onInput={(e) => set({ from: Number(e.currentTarget.value) })} />
            –
            <input type="number" min={0} max={hours} step="any" aria-label="to, hours" value={now.to} onInput={(e) => set({ to: Number(e.currentTarget.value) })} /> h
          </>
        )}
        {draft && (
          <button type="button" class="plain" onClick={() => onChange(null)} aria-label={`Leave ${name} as it is`}>
            ✕
          </button>
        )}
      </span>
      {free && <Profile draft={now} unit={q.shown_unit} hours={hours} onChange={put} />}
    </div>
  );
}
