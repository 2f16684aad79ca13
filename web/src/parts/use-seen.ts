/** Whether an element was in sight yet: what is asked for it can wait until then. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

export function useSeen(element: { current: Element | null }): boolean {
  const seen = useSignal(false);
  useEffect(() => {
    if (!element.current) return undefined;
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      seen.value = true;
      observer.disconnect();
    });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return seen.value;
}
