/** The second look before a command leaves: what changes, from what to what, and who has to agree. */

import type { Asset, CommandInfo, SignalInfo } from "../api/types";
import { decimalsFor, nameText, numberText, unitText } from "../format";
import { linked } from "../live/live";
import { Dialog } from "../parts/dialog";
import { LiveValue } from "../parts/live-value";

interface Props {
  asset: Asset;
  info: CommandInfo;
  value: number;
  reason: string;
  actual: SignalInfo | undefined;
  onYes: () => void;
  onNo: () => void;
}

export function Confirm({ asset, info, value, reason, actual, onYes, onNo }: Props) {
  const decimals = decimalsFor([info.low, info.high]);
  return (
    <Dialog title={`${asset.title || nameText(asset.name)}: ${nameText(info.name)}`} onClose={onNo}>
      <p class="change">
        {actual && <LiveValue signal={actual} />}
        <span aria-label="to">→</span>
        <b>
          {numberText(value, decimals)} {unitText(info.unit)}
        </b>
      </p>
      {reason && <p>Reason: {reason}</p>}
      <p class="quiet">
        {info.approval
          ? `It is written after another person (${info.approval}) has approved it.`
          : "It is written to the plant at once."}
      </p>
      <div class="buttons">
        <button type="button" onClick={onNo}>
          Back
        </button>
        <button type="button" class="main" disabled={!linked.value} onClick={onYes}>
          Confirm
        </button>
      </div>
    </Dialog>
  );
}
