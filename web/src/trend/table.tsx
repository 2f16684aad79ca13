/** The rows behind the trends, for those who read rather than look; and the way to take them along. */

import { useSignal } from "@preact/signals";

import { address } from "../api/http";
import type { SignalInfo } from "../api/types";
import { dateTime, decimalsFor, nameText, numberText, unitText } from "../format";
import { shownTime } from "../time/shown";
import { isoOf } from "../time/zoned";
import { QualityMark } from "../parts/quality-mark";
import { zone } from "../plant";
import { type Hole, holeAt } from "./holes";
import type { TrendData } from "./trend-data";
import { type Look, windowOf } from "./window";

const ROWS = 100;

interface Props {
  signals: readonly SignalInfo[];
  data: TrendData;
  look: Look;
  /** Changes when the data did. */
  version: number;
}

/** Where the rows of the window can be fetched; nowhere while the plant's time is not known. */
function csv(signal: SignalInfo, look: Look): string | undefined {
  const { start, end } = windowOf(look, shownTime.peek());
  if (!Number.isFinite(end)) return undefined;
  return address("history", { signal: signal.path, start: isoOf(start), end: isoOf(end), format: "csv" });
}

/** Says in words what the plot hatches. */
function LostSpans({ holes }: { holes: readonly Hole[] }) {
  if (holes.length === 0) return null;
  return (
    <ul class="lost" aria-label="Readings lost">
      {holes.map(({ start, end, rows, why }) => (
        <li key={start}>
          <b>Readings lost</b> from {dateTime(start, zone())} to {dateTime(end, zone())}: {numberText(rows, 0)} of all signals
          of a damaged file ({why})
        </li>
      ))}
    </ul>
  );
}

function Rows({ signal, data }: { signal: SignalInfo; data: TrendData }) {
  const rows = data.of(signal.path);
  const first = Math.max(0, rows.time.length - ROWS);
  const text = (value: number | null): string => {
    if (signal.kind === "state" && value !== null) return signal.states?.[value] ?? String(value);
    return numberText(value, decimalsFor(signal.range) + 1);
  };
  const holes = data.holesOf(signal.path);
  const word = (i: number): string => {
    const value = rows.value[i] ?? null;
    if (value !== null) return text(value);
    return holeAt(holes, rows.time[i] as number) ? "lost" : "gap";
  };
  return (
    <>
      <LostSpans holes={holes} />
      <div class="scroll" tabIndex={0} role="region" aria-label={`Rows of ${nameText(signal.name)}`}>
        <table>
          <thead>
            <tr>
              <th scope="col">time ({zone()})</th>
              <th scope="col" class="right">
                {nameText(signal.name)} {signal.unit && `[${unitText(signal.unit)}]`}
              </th>
              <th scope="col">quality</th>
            </tr>
          </thead>
          <tbody>
            {rows.time
              .slice(first)
              .map((time, i) => ({ time, i: first + i }))
              .reverse()
              .map(({ time, i }) => (
                <tr key={time}>
                  <td>{dateTime(time, zone())}</td>
                  <td class="right number">{word(i)}</td>
                  <td>
                    <QualityMark quality={rows.quality[i] ?? "none"} />
                  </td>
                </tr>
              ))}
          </tbody>
        </table>
      </div>
      <p class="quiet">
        {rows.time.length} rows in this window ({data.mode.get(signal.path) ?? "asked for"}), the newest {ROWS} at most
        are listed; the download has them all, undecimated.
      </p>
    </>
  );
}

export function TrendTable({ signals, data, look, version }: Props) {
  const chosen = useSignal<string | null>(null);
  const open = useSignal(false);
  const signal = signals.find((one) => one.path === chosen.value) ?? signals[0];
  if (!signal) return null;
  return (
    <details class="data" data-version={version} onToggle={(event) => (open.value = event.currentTarget.open)}>
      <summary>Table of these data</summary>
      <div class="tools">
        <label>
          Signal
          <select value={signal.path} onChange={(event) => (chosen.value = event.currentTarget.value)}>
            {signals.map((one) => (
              <option key={one.path} value={one.path}>
                {nameText(one.name)}
              </option>
            ))}
          </select>
        </label>
        <a class="button" href={csv(signal, look)} download={`${signal.path.replaceAll("/", "_")}.csv`}>
          Download CSV
        </a>
      </div>
      {open.value && <Rows signal={signal} data={data} />}
    </details>
  );
}
