/** What is not as it should be: alarms and values that cannot be believed, under one path. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { before, listed } from "../alarm-order";
import { alarms } from "../alarms";
import type { Asset, SignalInfo } from "../api/types";
import { lastPart, nameText, numberText, unitText } from "../format";
import { cells } from "../live/live";
import { AlarmShape } from "../parts/alarm-shape";
import { LiveQuality } from "../parts/live-quality";
import { toHash } from "../route/route";
import { keySignals } from "../synoptic/choose";
import { within } from "../tree/branches";

const ROWS = 8;
const LOOK_MS = 1000;

/** Of the signals on this view, those that are not good now; looked at once a second. */
function useDoubtful(assets: readonly Asset[]): SignalInfo[] {
  const found = useSignal<SignalInfo[]>([]);
  useEffect(() => {
    const signals = assets.flatMap((asset) => keySignals(asset));
    const look = (): void => {
      const now = signals.filter((signal) => (cells.peek(signal.path)?.quality ?? "none") !== "good");
      const same = now.length === found.value.length && now.every((signal, i) => signal === found.value[i]);
      if (!same) found.value = now;
    };
    const timer = setInterval(look, LOOK_MS);
    return () => clearInterval(timer);
  }, [assets]);
  return found.value;
}

export function Attention({ under, assets }: { under: string; assets: readonly Asset[] }) {
  const doubtful = useDoubtful(assets);
  const inside = alarms.value.filter((alarm) => listed(alarm) && within(alarm.asset, under)).sort(before);
  const quiet = inside.length === 0 && doubtful.length === 0;
  return (
    <section class="panel attention" aria-label="Needs attention">
      <h2>Needs attention</h2>
      {quiet && <p class="quiet">Nothing: no alarm, and every value shown is good.</p>}
      <ul>
        {inside.slice(0, ROWS).map((alarm) => (
          <li key={alarm.id}>
            <a href={toHash("asset", alarm.asset)}>
              <AlarmShape priority={alarm.priority} state={alarm.state} />
              <span>
                <b>{lastPart(alarm.asset)}</b> {nameText(lastPart(alarm.signal))} {nameText(alarm.level)}
                <small>
                  {numberText(alarm.value, 1)} {unitText(alarm.unit)}, {nameText(alarm.state)}
                </small>
              </span>
            </a>
          </li>
        ))}
        {doubtful.slice(0, ROWS).map((signal) => (
          <li key={signal.path}>
            <a href={toHash("asset", signal.path.slice(0, signal.path.lastIndexOf("/")))}>
              <LiveQuality path={signal.path} />
              <span>
                <b>{lastPart(signal.path.slice(0, signal.path.lastIndexOf("/")))}</b> {nameText(signal.name)}
              </span>
            </a>
          </li>
        ))}
      </ul>
      {inside.length > ROWS && <a href={toHash("alarms")}>{inside.length - ROWS} more alarms</a>}
    </section>
  );
}
