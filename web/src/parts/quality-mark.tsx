/** The shape and the word of each quality; the same path draws the mark in tile, synoptic and trend. */

import { MEANING, QUALITIES, type Quality } from "../live/quality";

/** Outlines in a box of 14 × 14. */
export const SHAPE: Record<Quality, string> = {
  none: "M2 7h3M9 7h3",
  good: "M7 5.2a1.8 1.8 0 1 0 .01 0z",
  uncertain: "M7 1.2 13.3 12.6H.7zM7 5.2v3.6M7 10.3v.9",
  bad: "M1.2 1.2h11.6v11.6H1.2zM4 4l6 6M10 4l-6 6",
  stale: "M7 1a6 6 0 1 0 .01 0zM7 3.6V7l2.6 1.7",
  substituted: "M7 .6 13.4 7 7 13.4.6 7zM4.6 6h4.8M4.6 8.2h4.8",
  simulated: "M.8 7c2-6.6 4.2-6.6 6.2 0s4.2 6.6 6.2 0",
  manual: "M4 1h6l3.2 6L10 13H4L.8 7zM4.7 9.6V4.9L7 7.6l2.3-2.7v4.7",
};

export function QualityMark({ quality, word = true }: { quality: Quality; word?: boolean }) {
  return (
    <span class="quality" data-quality={quality} title={MEANING[quality]}>
      <svg viewBox="0 0 14 14" aria-hidden="true">
        <path d={SHAPE[quality]} />
      </svg>
      <span class={word ? "word" : "unseen"}>{quality}</span>
    </span>
  );
}

/** Every shape with its word, to learn them by. */
export function QualityKey() {
  return (
    <ul class="key" aria-label="Marks of quality">
      {QUALITIES.map((quality) => (
        <li key={quality}>
          <QualityMark quality={quality} />
          <small>{MEANING[quality]}</small>
        </li>
      ))}
    </ul>
  );
}
