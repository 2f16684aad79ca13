/** Which figures futures are judged by: those that the plant file declares, and behind them whatever else can be told. */

import { useSignal } from "@preact/signals";

import { unitText } from "../format";
import { choices, isWritten } from "./judged";
import type { Offered } from "./types";

interface Props {
  offered: readonly Offered[];
  chosen: readonly string[];
  onChange(chosen: string[]): void;
}

export function Choice({ offered, chosen, onChange }: Props) {
  const line = useSignal("");
  const all = choices(offered);
  const first = all.some((one) => !one.default) ? all.filter((one) => one.default) : [];
  const rest = all.filter((one) => !first.includes(one));
  const told = rest.filter((one) => chosen.includes(one.kpi)).length;
  const box = (one: Offered) => {
    const ticked = chosen.includes(one.kpi);
    const put = (): void => onChange(ticked ? chosen.filter((kpi) => kpi !== one.kpi) : [...chosen, one.kpi]);
    return (
      <label key={one.kpi} title={one.description || undefined}>
        <input type="checkbox" checked={ticked} disabled={ticked && chosen.length === 1} onChange={put} /> {one.kpi}{" "}
        <span class="quiet">{unitText(one.unit)}</span>
      </label>
    );
  };
  return (
    <>
      <fieldset class="whatif-kpis">
        <legend>Judged by</legend>
        {first.map(box)}
        {chosen.filter(isWritten).map((line) => (
          <label key={line}>
            <input type="checkbox" checked disabled={chosen.length === 1} onChange={() => onChange(chosen.filter((one) => one !== line))} /> <code>{line}</code>
          </label>
        ))}
        {rest.length > 0 && (
          <details open={first.length > 0 && told > 0}>
            <summary>
              {first.length ? "Other figures" : "Figures"}: {told} of {rest.length}
            </summary>
            {rest.map(box)}
          </details>
        )}
      </fieldset>
      <details>
        <summary>In words: an order, a peak, a time above a limit</summary>
        <label>
          Figure{" "}
          <input
            type="text" size={48} placeholder="A={order: flow, amount: 300 m3, by: 8 h}" value={line.value} aria-invalid={!!line.value && !isWritten(line.value)}
            onInput={(e) => {
              line.value = e.currentTarget.value;
            }}
          />
        </label>{" "}
        <button
          type="button" disabled={!isWritten(line.value)}
          onClick={() => {
            onChange([...chosen.filter((one) => one !== line.value.trim()), line.value.trim()]);
            line.value = "";
          }}
        >
          Judge by it
        </button>
      </details>
    </>
  );
}
