/** One alarm with what a person needs to act: cause, consequence, response, and the time there is. */

import type { Alarm } from "../api/types";
import { ageText, isoTime, nameText, numberText, unitText, lastPart } from "../format";
import { AlarmShape } from "../parts/alarm-shape";
import { zone } from "../plant";

export function AlarmCard({ alarm }: { alarm: Alarm }) {
  const unit = unitText(alarm.unit);
  return (
    <article class="alarm-card" data-priority={alarm.priority}>
      <AlarmShape priority={alarm.priority} state={alarm.state} />
      <div>
        <b>
          {nameText(lastPart(alarm.signal))} {nameText(alarm.level)}
        </b>{" "}
        {numberText(alarm.value, 2)} {unit} ({alarm.limit === null ? "not as expected" : `limit ${alarm.limit} ${unit}`}), {nameText(alarm.state)} since{" "}
        {isoTime(alarm.since ?? alarm.raised, zone())}
        <AlarmAdvice alarm={alarm} />
      </div>
    </article>
  );
}

export function AlarmAdvice({ alarm }: { alarm: Alarm }) {
  if (!alarm.cause && !alarm.consequence && !alarm.response) return null;
  return (
    <dl class="facts">
      {alarm.cause && (
        <>
          <dt>cause</dt>
          <dd>{alarm.cause}</dd>
        </>
      )}
      {alarm.consequence && (
        <>
          <dt>consequence</dt>
          <dd>{alarm.consequence}</dd>
        </>
      )}
      {alarm.response && (
        <>
          <dt>response</dt>
          <dd>
            {alarm.response}
            {alarm.respond_within_s ? ` (within ${ageText(alarm.respond_within_s)})` : ""}
          </dd>
        </>
      )}
    </dl>
  );
}
