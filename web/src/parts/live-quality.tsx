/** The quality of a signal now, as shape and word. */

import { useRef } from "preact/hooks";

import { MEANING, type Quality } from "../live/quality";
import { SHAPE } from "./quality-mark";
import { useLive } from "./use-live";

export function LiveQuality({ path, quiet = false }: { path: string; quiet?: boolean }) {
  const frame = useRef<HTMLSpanElement>(null);
  const shape = useRef<SVGPathElement>(null);
  const word = useRef<HTMLSpanElement>(null);
  const shown = useRef<Quality | null>(null);
  useLive(path, ({ quality }) => {
    if (shown.current === quality || !frame.current) return;
    shown.current = quality;
    frame.current.dataset.quality = quality;
    frame.current.title = MEANING[quality];
    shape.current?.setAttribute("d", SHAPE[quality]);
    if (word.current) word.current.textContent = quality;
  });
  return (
    <span class={quiet ? "quality quiet" : "quality"} ref={frame} data-quality="none">
      <svg viewBox="0 0 14 14" aria-hidden="true">
        <path ref={shape} d={SHAPE.none} />
      </svg>
      <span class="word" ref={word}>
        none
      </span>
    </span>
  );
}
