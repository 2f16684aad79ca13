/** One line of the alarm list. */

import { needsAcknowledging } from "../alarm-order";
import type { Alarm } from "../api/types";
import { ageText, isoTime, lastPart, nameText, numberText, unitText } from "../format";
import { AlarmShape, priorityWord } from "../parts/alarm-shape";
import { zone } from "../plant";
import { toHash } from "../route/route";

interface Props {
  alarm: Alarm;
  /** Whether the person may act and the twin can be reached. */
  able: boolean;
  onAcknowledge: () => void;
  onShelve: () => void;
}

function State({ alarm }: { alarm: Alarm }) {
  return (
    <>
      {nameText(alarm.state)}{" "}
      {alarm.first_out && <b class="first-out">first out</b>}
      {alarm.chattering && <b class="first-out">chattering</b>}
      {alarm.standing && <b class="first-out">standing</b>}
      {alarm.acknowledged_by && (
        <small>
          by {alarm.acknowledged_by}
          {alarm.comment ? `: ${alarm.comment}` : ""}
        </small>
      )}
      {alarm.shelved_until && <small>until {isoTime(alarm.shelved_until, zone())}</small>}
    </>
  );
}

function Advice({ alarm }: { alarm: Alarm }) {
  const more = [alarm.cause && `Cause: ${alarm.cause}`, alarm.consequence && `Consequence: ${alarm.consequence}`];
  return (
    <>
      {alarm.response ?? "–"}
      {alarm.respond_within_s ? <small>within {ageText(alarm.respond_within_s)}</small> : null}
      {more.filter(Boolean).map((text) => (
        <small key={text as string}>{text}</small>
      ))}
    </>
  );
}

export function AlarmRow({ alarm, able, onAcknowledge, onShelve }: Props) {
  const unit = unitText(alarm.unit);
  return (
    <tr data-alarm={alarm.id} data-state={alarm.state} data-priority={alarm.priority}>
      <td title={priorityWord(alarm.priority)}>
        <AlarmShape priority={alarm.priority} state={alarm.state} />
      </td>
      <td>
        <State alarm={alarm} />
      </td>
      <td class="number">{isoTime(alarm.raised, zone())}</td>
      <td>
        <a href={toHash("asset", alarm.asset)}>{lastPart(alarm.asset)}</a> {nameText(lastPart(alarm.signal))}{" "}
        <b class="nowrap">{nameText(alarm.level)}</b>
        <small class="number">
          {numberText(alarm.value, 2)} {unit}, {alarm.limit === null ? "not as expected" : `limit ${numberText(alarm.limit, 2)} ${unit}`}
        </small>
      </td>
      <td class="advice">
        <Advice alarm={alarm} />
      </td>
      <td class="actions">
        {needsAcknowledging(alarm) && (
          <button type="button" disabled={!able} onClick={onAcknowledge}>
            Acknowledge
          </button>
        )}
        {alarm.state !== "shelved" && (
          <button type="button" class="plain" disabled={!able} onClick={onShelve}>
            Shelve
          </button>
        )}
      </td>
    </tr>
  );
}
