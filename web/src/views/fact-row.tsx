/** One fact of the record as a line: what it was before and after where the fact says so, the rest on demand. */

import type { Fact } from "../api/types";
import { isoTime } from "../format";
import { health, zone } from "../plant";

const BEFORE = ["before"];
const AFTER = ["after", "value"];

function pick(body: Record<string, unknown>, names: readonly string[]): string {
  const name = names.find((one) => body[one] !== undefined && body[one] !== null);
  if (name === undefined) return "–";
  const value = body[name];
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** `CommandRequested` becomes `Command requested`. */
export function kindText(kind: string): string {
  const spaced = kind.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

/** A path without the root that all of them share. */
function relative(path: string): string {
  const root = `${health.value?.plant ?? ""}/`;
  return path.startsWith(root) ? path.slice(root.length) : path;
}

export function FactRow({ fact }: { fact: Fact }) {
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
      <td>{pick(fact.body ?? {}, BEFORE)}</td>
      <td>{pick(fact.body ?? {}, AFTER)}</td>
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
      </td>
    </tr>
  );
}
