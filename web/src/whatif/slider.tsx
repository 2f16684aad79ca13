/** One thing that can be done differently: by how much, and along which course. */

import { nameText } from "../format";
import { type Course, type Draft, inWords, round } from "./draft";
import type { Quantity } from "./types";

interface Props {
  name: string;
  quantity: Quantity;
  draft: Draft | undefined;
  hours: number;
  onChange(draft: Draft | null): void;
}

function reach(q: Quantity): number {
  if (q.low !== null && q.high !== null && q.high > q.low) return q.high - q.low;
  return 1;
}

export function Slider({ name, quantity: q, draft, hours, onChange }: Props) {
  const scaled = q.value !== 0;
  const now: Draft = draft ?? { of: name, how: scaled ? "scale" : "add", by: scaled ? 1 : 0, course: "at once", from: 0, to: hours };
  const neutral = scaled ? 1 : 0;
  const set = (next: Partial<Draft>): void => {
    const after = { ...now, ...next };
    onChange(after.by === neutral ? null : after);
  };
  const becomes = scaled ? q.value * now.by : q.value + now.by;
  const [low, high, step] = scaled ? [50, 150, 1] : [-reach(q), reach(q), reach(q) / 100];
  return (
    <div class="what-slider" data-quantity={name} data-changed={draft ? "yes" : "no"}>
      <label>
        <span class="name" title={q.description}>
          {nameText(name)}
        </span>
        <input
          type="range"
          min={low}
          max={high}
          step={step}
          value={scaled ? Math.round(now.by * 100) : now.by}
          aria-valuetext={draft ? inWords(now, q.unit) : "as it is"}
          onInput={(event) => {
            const value = Number(event.currentTarget.value);
            set({ by: scaled ? value / 100 : value });
          }}
        />
      </label>
      <output class="number">
        {round(q.value)}
        {draft && ` → ${round(becomes)}`} {q.unit}
      </output>
      <span class="quiet source" title={`from the ${q.source}`}>
        {q.source}
      </span>
      {draft && (
        <span class="course">
          <select
            aria-label={`Course of ${name}`}
            value={now.course}
            onChange={(event) => set({ course: event.currentTarget.value as Course })}
          >
            <option>at once</option>
            <option>ramp</option>
            <option>for a while</option>
          </select>
          {now.course === "for a while" && (
            <>
              <input type="number" min={0} max={hours} step="any" aria-label="from, hours" value={now.from} onChange={(e) => set({ from: Number(e.currentTarget.value) })} />
              –
              <input type="number" min={0} max={hours} step="any" aria-label="to, hours" value={now.to} onChange={(e) => set({ to: Number(e.currentTarget.value) })} /> h
            </>
          )}
          <button type="button" class="plain" onClick={() => onChange(null)} aria-label={`Leave ${name} as it is`}>
            ✕
          </button>
        </span>
      )}
    </div>
  );
}
