/** One command of an asset: where it stands, what is asked for, and what became of the last request. */

import { useSignal } from "@preact/signals";

import { words } from "../api/http";
import type { Asset, CommandInfo, SignalInfo } from "../api/types";
import { commands, request } from "../commands";
import { decimalsFor, nameText, numberText, unitText } from "../format";
import { linked } from "../live/live";
import { CommandSteps } from "../parts/command-steps";
import { Decide } from "../parts/decide";
import { LiveQuality } from "../parts/live-quality";
import { LiveValue } from "../parts/live-value";
import { health, may } from "../plant";
import { inPast } from "../time/cursor";
import { Confirm } from "./confirm";

/** Why a command cannot be given now, in words, or null when it can. */
export function hindrance(info: CommandInfo): string | null {
  if (inPast.value) return "This is the past: nothing can be commanded here.";
  if (!linked.value) return "The link is lost: commands are disabled.";
  if (health.value && !health.value.writes) return "The plant file does not allow writing (writes: true is missing).";
  if (!info.wired) return "The plant file gives this command no address to write to.";
  if (!may("operator")) return "Log in as operator or engineer to command.";
  return null;
}

/** What is wrong with a number before it is even asked for, or null. */
export function outside(value: number, info: CommandInfo): string | null {
  if (!Number.isFinite(value)) return "A number is needed.";
  if (info.low !== null && value < info.low) return `At least ${info.low} ${unitText(info.unit)}.`;
  if (info.high !== null && value > info.high) return `At most ${info.high} ${unitText(info.unit)}.`;
  return null;
}

function Facts({ info }: { info: CommandInfo }) {
  const unit = unitText(info.unit);
  return (
    <dl class="facts">
      <dt>limits</dt>
      <dd>
        {info.low ?? "–"} to {info.high ?? "–"} {unit}
      </dd>
      {info.max_rate_per_s !== null && (
        <>
          <dt>fastest</dt>
          <dd>
            {numberText(info.max_rate_per_s, 1)} {unit}/s
          </dd>
        </>
      )}
      <dt>approval</dt>
      <dd>{info.approval ? `another person: ${info.approval}` : "none needed"}</dd>
      {info.rests_on.length > 0 && (
        <>
          <dt>rests on</dt>
          <dd>{info.rests_on.map(nameText).join(", ")}</dd>
        </>
      )}
    </dl>
  );
}

function Reading({ title, signal }: { title: string; signal: SignalInfo | undefined }) {
  if (!signal) return null;
  return (
    <div class="reading">
      <small>{title}</small>
      <LiveValue signal={signal} />
      <LiveQuality path={signal.path} quiet />
    </div>
  );
}

export function Faceplate({ asset, info }: { asset: Asset; info: CommandInfo }) {
  const wanted = useSignal("");
  const reason = useSignal("");
  const confirming = useSignal(false);
  const refused = useSignal<string | null>(null);
  const blocked = hindrance(info);
  const last = commands.value.find((one) => one.asset === asset.path && one.command === info.name);
  const named = (name: string | null) => asset.signals.find((signal) => signal.name === name);
  const readBack = named(info.read_back);
  const value = wanted.value.trim() === "" ? Number.NaN : Number(wanted.value);

  const ask = (event: Event): void => {
    event.preventDefault();
    refused.value = outside(value, info);
    if (refused.value === null) confirming.value = true;
  };
  const confirmed = async (): Promise<void> => {
    confirming.value = false;
    try {
      const made = await request(asset.path, info.name, value, reason.value);
      refused.value = made.refusal ?? null;
      if (made.state !== "refused") wanted.value = "";
    } catch (error) {
      refused.value = words(error);
    }
  };
  return (
    <section class="faceplate" aria-label={nameText(info.name)} data-command={info.name}>
      <h3>{nameText(info.name)}</h3>
      <div class="readings">
        <Reading title="set-point" signal={named(info.sets)} />
        <Reading title="actual" signal={readBack} />
      </div>
      <Facts info={info} />
      <form onSubmit={ask}>
        <label>
          New value [{unitText(info.unit) || "1"}]
          <input
            name="value"
            inputMode="decimal"
            autocomplete="off"
            value={wanted.value}
            disabled={blocked !== null}
            onInput={(event) => (wanted.value = event.currentTarget.value)}
          />
        </label>
        <label>
          Reason
          <input
            name="reason"
            autocomplete="off"
            value={reason.value}
            disabled={blocked !== null}
            onInput={(event) => (reason.value = event.currentTarget.value)}
          />
        </label>
        <button type="submit" disabled={blocked !== null}>
          Ask for it…
        </button>
      </form>
      {blocked && <p class="quiet">{blocked}</p>}
      {refused.value && (
        <p class="refusal" role="alert">
          {refused.value}
        </p>
      )}
      {last && (
        <div class="last">
          <small>
            last: {numberText(last.value, decimalsFor([info.low, info.high]))} {unitText(last.unit)}
          </small>
          <CommandSteps command={last} />
          <Decide command={last} />
        </div>
      )}
      {confirming.value && (
        <Confirm
          asset={asset}
          info={info}
          value={value}
          reason={reason.value}
          actual={readBack}
          onYes={() => void confirmed()}
          onNo={() => (confirming.value = false)}
        />
      )}
    </section>
  );
}
