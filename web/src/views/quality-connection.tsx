/** A connection to the plant: what came through it, what was refused, with examples. */

import type { ConnectionQuality } from "../api/types";
import { nameText, numberText } from "../format";
import { reasonsText } from "./quality-table";

export function ConnectionPanel({ connection }: { connection: ConnectionQuality }) {
  const refused = Object.values(connection.refused).reduce((sum, n) => sum + n, 0);
  return (
    <section class="panel connection" aria-label={`Connection ${connection.name}`} data-state={connection.state}>
      <h2>
        {connection.name} <small>{connection.protocol}</small>
      </h2>
      <dl class="facts">
        <dt>state</dt>
        <dd>{nameText(connection.state)}</dd>
        <dt>messages</dt>
        <dd>{numberText(connection.messages, 0)}</dd>
        <dt>values</dt>
        <dd>{numberText(connection.values, 0)}</dd>
        <dt>refused</dt>
        <dd>
          {numberText(refused, 0)}
          {refused > 0 && ` (${reasonsText(connection.refused)})`}
        </dd>
      </dl>
      {connection.examples.length > 0 && (
        <details>
          <summary>Examples of what was refused</summary>
          <table>
            <thead>
              <tr>
                <th scope="col">reason</th>
                <th scope="col">topic</th>
                <th scope="col">begins with</th>
              </tr>
            </thead>
            <tbody>
              {connection.examples.map((example, i) => (
                <tr key={`${example.topic} ${i}`}>
                  <td>{nameText(example.reason)}</td>
                  <td>{example.topic}</td>
                  <td>
                    <code>{example.text}</code>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      )}
    </section>
  );
}
