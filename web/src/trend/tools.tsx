/** What one does with a trend by button: go back and forth, out, to a length, or follow. */

import { shownTime } from "../time/shown";
import { dateTime } from "../format";
import { zone } from "../plant";
import { DEFAULT_SPAN, type Look, moved, PRESETS, stretched, windowOf } from "./window";

interface Props {
  look: Look;
  busy: boolean;
  onLook(look: Look): void;
}

export function TrendTools({ look, busy, onLook }: Props) {
  const now = () => windowOf(look, shownTime.peek());
  const length = look.follow ? look.span : look.end - look.start;
  return (
    <div class="tools" role="toolbar" aria-label="Time">
      <h2>Trends</h2>
      <div class="group">
        {PRESETS.map(([title, span]) => (
          <button
            type="button"
            key={span}
            aria-pressed={look.follow && look.span === span}
            onClick={() => onLook({ follow: true, span })}
          >
            {title}
          </button>
        ))}
      </div>
      <div class="group">
        <button type="button" onClick={() => onLook(moved(now(), -0.5))} aria-label="Earlier">
          ◀
        </button>
        <button type="button" onClick={() => onLook(moved(now(), 0.5))} aria-label="Later">
          ▶
        </button>
        <button type="button" onClick={() => onLook(stretched(now(), 3))}>
          Zoom out
        </button>
        <button
          type="button"
          aria-pressed={look.follow}
          onClick={() => onLook({ follow: true, span: look.follow ? look.span : Math.max(60, length) || DEFAULT_SPAN })}
        >
          Follow
        </button>
      </div>
      <span class="quiet" aria-live="polite">
        {look.follow ? "" : `${dateTime(look.start, zone())} to ${dateTime(look.end, zone())}`}
        {busy ? " …" : ""} Shift-click takes every view to that time.
      </span>
    </div>
  );
}
