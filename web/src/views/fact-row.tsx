/** One fact of the record as a line: what it was before and after where the fact says so, the rest on demand. */

import type { Fact } from "../api/types";
import { revertible } from "../facts";
import { isoTime } from "../format";
import { linked } from "../live/live";
import { health, may, zone } from "../plant";
import { kindText } from "./kind-text";

function told(value: Fact["before"]): string {
  return value === null || value === undefined ? "–" : String(value).replaceAll("_", " ");
}

/** A path without the root that all of them share. */
function relative(path: string): string {
  const root = `${health.value?.plant ?? ""}/`;
  return path.startsWith(root) ? path.slice(root.length) : path;
}

export function FactRow({ fact, onRevert }: { fact: Fact; onRevert(): void }) {
  const body = Object.entries(fact.body ?? {});
  return (
    <tr data-seq={fact.seq} data-kind={fact.kind}>
      <td class="right number">{fact.seq}</td>
      <td class="number" title={`plant time ${isoTime(fact.at, zone())}`}>
        {isoTime(fact.recorded, zone())}
      </td>
      <td>{fact.actor}</td>
      <td>{kindText(fact.kind)}</td>
      <td class="path" title={fact.subject}>
        {relative(fact.subject) || "–"}
      </td>
      <td>{told(fact.before)}</td>
      <td>{told(fact.after)}</td>
      <td>
        {fact.reason || (body.length === 0 ? "–" : "")}
        {body.length > 0 && (
          <details>
            <summary>details</summary>
            <dl class="facts">
              {body.map(([name, value]) => (
                <>
                  <dt>{name}</dt>
                  <dd>{typeof value === "object" ? JSON.stringify(value) : String(value)}</dd>
                </>
              ))}
              {fact.cause && (
                <>
                  <dt>cause</dt>
                  <dd>{fact.cause}</dd>
                </>
              )}
            </dl>
          </details>
        )}
        {revertible(fact) && may("engineer") && (
          <button type="button" disabled={!linked.value} onClick={onRevert}>
            Take back…
          </button>
        )}
      </td>
    </tr>
  );
}
