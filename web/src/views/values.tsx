/** All values of an asset in their context, one line each; a tick puts a signal among the trends. */

import { before, listed } from "../alarm-order";
import { alarms } from "../alarms";
import type { SignalInfo } from "../api/types";
import type { Residual } from "../expected/types";
import { residualText } from "../expected/words";
import { decimalsFor, nameText } from "../format";
import { AlarmShape } from "../parts/alarm-shape";
import { AnalogBar } from "../parts/analog-bar";
import { LiveQuality } from "../parts/live-quality";
import { LiveAge, LiveValue } from "../parts/live-value";
import { Spark } from "../parts/spark";
import { zone } from "../plant";

export interface Props {
  signals: readonly SignalInfo[];
  /** Names of the signals that have a trend. */
  shown: ReadonlySet<string>;
  onShow(name: string, show: boolean): void;
  /** What is expected of them, by path. */
  residuals: ReadonlyMap<string, Residual>;
  /** What the table is called. */
  label?: string;
}

const COLUMNS = 7;

/** A line under a value that is, or was then, not as expected, or not listened to: since when, and who is suspected. */
function NotAsExpected({ residual }: { residual: Residual | undefined }) {
  const said = residual ? residualText(residual, zone()) : "";
  if (!residual || !said) return null;
  return (
    <tr class="not-expected" data-residual={residual.signal}>
      <td colSpan={COLUMNS} role="status">
        {said}
      </td>
    </tr>
  );
}

function SignalAlarm({ path }: { path: string }) {
  const worst = alarms.value.filter((alarm) => alarm.signal === path && listed(alarm)).sort(before)[0];
  return worst ? <AlarmShape priority={worst.priority} state={worst.state} /> : null;
}

/** A table of values, a line each. */
export function ValueTable({ signals, shown, onShow, residuals, label = "Table of values" }: Props) {
  const analog = signals.filter((signal) => signal.kind !== "state");
  const widest = Math.max(0, ...analog.map((signal) => decimalsFor(signal.range)));
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table class="values">
        <thead>
          <tr>
            <th scope="col">trend</th>
            <th scope="col">signal</th>
            <th scope="col" class="right">
              value
            </th>
            <th scope="col">quality</th>
            <th scope="col">in its range</th>
            <th scope="col">lately</th>
            <th scope="col" class="right">
              age
            </th>
          </tr>
        </thead>
        <tbody>
          {signals.flatMap((signal) => [
            <tr key={signal.path} data-signal={signal.path}>
              <td>
                <label class="tick">
                  <input
                    type="checkbox"
                    checked={shown.has(signal.name)}
                    onChange={(event) => onShow(signal.name, event.currentTarget.checked)}
                  />
                  <span class="unseen">trend of {nameText(signal.name)}</span>
                </label>
              </td>
              <th scope="row" title={signal.description ?? undefined}>
                {nameText(signal.name)}
                <SignalAlarm path={signal.path} />
              </th>
              <td class="right">
                <LiveValue signal={signal} widest={widest} />
              </td>
              <td>
                <LiveQuality path={signal.path} />
              </td>
              <td>
                <AnalogBar signal={signal} />
              </td>
              <td>{signal.kind !== "state" && <Spark signal={signal} />}</td>
              <td class="right nowrap">
                <LiveAge path={signal.path} />
              </td>
            </tr>,
            <NotAsExpected key={`${signal.path}#residual`} residual={residuals.get(signal.path)} />,
          ])}
        </tbody>
      </table>
    </div>
  );
}

export function Values(props: Props) {
  return (
    <section class="panel" aria-label="Values">
      <h2>Values</h2>
      <ValueTable {...props} />
    </section>
  );
}
