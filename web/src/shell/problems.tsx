/** What is wrong with the twin itself, with what to do; and bindings that lead nowhere. */

import { unknown } from "../live/live";
import { health } from "../plant";

export function Problems() {
  const problems = health.value?.problems ?? [];
  const missing = unknown.value;
  if (problems.length === 0 && missing.length === 0) return null;
  return (
    <section class="notes" aria-label="What is wrong with the twin">
      {problems.map((problem) => (
        <p key={problem.code + problem.message}>
          <b>{problem.message}</b> {problem.remedy}
        </p>
      ))}
      {missing.length > 0 && (
        <p>
          <b>The twin does not know {missing.length === 1 ? "this signal" : `${missing.length} signals`}:</b>{" "}
          {missing.slice(0, 5).join(", ")}
        </p>
      )}
    </section>
  );
}
