/** What was asked of the plant, what waits for a second person, and what became of the rest. */

import type { Command } from "../api/types";
import { commands, commandsError } from "../commands";
import { isoTime, lastPart, nameText, numberText, unitText } from "../format";
import { CommandSteps } from "../parts/command-steps";
import { Decide } from "../parts/decide";
import { zone } from "../plant";
import { route, setQuery } from "../route/current";
import { toHash } from "../route/route";

const SHOWN = 50;
const FILTERS: readonly (readonly [string, string])[] = [
  ["", "All"],
  ["waiting", "To approve"],
];

function Row({ command }: { command: Command }) {
  return (
    <tr data-command-id={command.id} data-state={command.state}>
      <td class="number">{isoTime(command.requested, zone())}</td>
      <td>
        <a href={toHash("asset", command.asset)}>{lastPart(command.asset)}</a>
      </td>
      <td>{nameText(command.command)}</td>
      <td class="right number">
        {numberText(command.value, 2)} {unitText(command.unit)}
      </td>
      <td class="right number">
        {command.read_back == null ? "–" : `${numberText(command.read_back, 2)} ${unitText(command.unit)}`}
      </td>
      <td>
        <CommandSteps command={command} />
      </td>
      <td class="actions">
        <Decide command={command} />
      </td>
    </tr>
  );
}

export function CommandsView() {
  const { show = "" } = route.value.query;
  const found = commands.value.filter((command) => show !== "waiting" || command.state === "awaiting_approval");
  return (
    <div class="commands">
      <h1>Commands</h1>
      <div class="tools">
        <div class="group" role="group" aria-label="Which commands">
          {FILTERS.map(([key, title]) => (
            <button type="button" key={key} aria-pressed={show === key} onClick={() => setQuery({ show: key })}>
              {title}
            </button>
          ))}
        </div>
        <span class="quiet">A command is given on the page of its asset.</span>
      </div>
      {commandsError.value && <p role="alert">{commandsError.value}</p>}
      <div class="scroll panel" tabIndex={0} role="region" aria-label="Commands">
        <table>
          <thead>
            <tr>
              <th scope="col">asked</th>
              <th scope="col">asset</th>
              <th scope="col">command</th>
              <th scope="col" class="right">
                value
              </th>
              <th scope="col" class="right">
                read back
              </th>
              <th scope="col">progress</th>
              <th scope="col">
                <span class="unseen">actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {found.slice(0, SHOWN).map((command) => (
              <Row key={command.id} command={command} />
            ))}
          </tbody>
        </table>
        {found.length === 0 && <p class="quiet">Nothing was asked for.</p>}
      </div>
    </div>
  );
}
