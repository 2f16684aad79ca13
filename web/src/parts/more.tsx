/** The rest of a list: asked for when its end comes into sight, or by hand. */

import { useEffect, useRef } from "preact/hooks";

import { numberText } from "../format";

interface Props {
  /** How many are left. */
  left: number;
  /** How many are there: once it has changed, the end is looked at anew. */
  shown: number;
  onMore(): void;
}

export function More({ left, shown, onMore }: Props) {
  const button = useRef<HTMLButtonElement>(null);
  const ask = useRef(onMore);
  ask.current = onMore;
  useEffect(() => {
    if (!button.current) return undefined;
    const observer = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) ask.current();
    });
    observer.observe(button.current);
    return () => observer.disconnect();
  }, [shown]);
  return (
    <button ref={button} type="button" class="plain more" onClick={onMore}>
      {numberText(left, 0)} more
    </button>
  );
}
