/** A free course: what a quantity is from which hour on, row by row, in the plant's unit. */

import { unitText } from "../format";
import type { Draft, Point, Shape } from "./draft";

interface Props {
  draft: Draft;
  unit: string;
  hours: number;
  onChange(draft: Draft): void;
}

export function Profile({ draft, unit, hours, onChange }: Props) {
  const put = (points: readonly Point[]): void => onChange({ ...draft, points });
  const set = (row: number, column: 0 | 1, value: number): void => {
    if (!Number.isFinite(value)) return;
    put(draft.points.map((p, i): Point => (i !== row ? p : column === 0 ? [Math.max(0, value), p[1]] : [p[0], value])));
  };
  const add = (): void => {
    const [last, before] = [...draft.points].reverse();
    const hour = last && before ? (last[0] + before[0]) / 2 : hours;
    if (last && before) put([...draft.points.slice(0, -1), [hour, before[1]], last]);
    else put([...draft.points, [hour, last?.[1] ?? 0]]);
  };
  return (
    <div class="what-profile">
      <table aria-label={`Profile of ${draft.of}`}>
        <thead>
          <tr>
            <th scope="col">from hour</th>
            <th scope="col">value {unit && `[${unitText(unit)}]`}</th>
            <th scope="col">
              <select aria-label="Between the rows" value={draft.shape} onChange={(e) => onChange({ ...draft, shape: e.currentTarget.value as Shape })}>
                <option value="hold">held</option>
                <option value="linear">straight lines</option>
              </select>
            </th>
          </tr>
        </thead>
        <tbody>
          {draft.points.map(([hour, value], row) => (
            <tr key={row}>
              <td>
                <input type="number" min={0} max={hours} step="any" aria-label={`hour of row ${row + 1}`} value={hour} onInput={(e) => set(row, 0, e.currentTarget.valueAsNumber)} />
              </td>
              <td>
                <input type="number" step="any" aria-label={`value of row ${row + 1}`} value={value} onInput={(e) => set(row, 1, e.currentTarget.valueAsNumber)} />
              </td>
              <td>
                {draft.points.length > 1 && (
                  <button type="button" class="plain" aria-label={`Leave out row ${row + 1}`} onClick={() => put(draft.points.filter((_, i) => i !== row))}>
                    ✕
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <button type="button" onClick={add}>
        Add a row
      </button>
    </div>
  );
}
