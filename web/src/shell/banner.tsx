/** Says that nothing is heard, and for how long. */

import { ageText } from "../format";
import { link } from "../live/live";

export function LinkBanner() {
  const { state, what, ageS } = link.value;
  if (state !== "lost") return null;
  const who = what === "twin" ? "the twin process" : "the twin";
  return (
    <div class="banner" role="alert" data-testid="link-banner">
      <svg viewBox="0 0 14 14" aria-hidden="true">
        <path d="M3 3l8 8M11 3l-8 8" />
      </svg>
      <span>
        <b>Link lost:</b> nothing heard from {who} for <b>{ageText(Math.floor(ageS) < 10 ? ageS : Math.floor(ageS))}</b>.
        Values are the last ones and stale; commands are disabled. The page connects again by itself.
      </span>
    </div>
  );
}
