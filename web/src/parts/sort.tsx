/** Tables that can be sorted by a column; the order stands in the address (`sort=-gaps`). */

import { route, setQuery } from "../route/current";

export type Key = string | number | null;

export interface Order {
  column: string;
  down: boolean;
}

export function orderOf(text: string | undefined, usual: string): Order {
  const chosen = text || usual;
  return chosen.startsWith("-") ? { column: chosen.slice(1), down: true } : { column: chosen, down: false };
}

/** Compares two keys; nothing known stands last in either direction. */
export function compare(a: Key, b: Key, down: boolean): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  const up = typeof a === "string" ? a.localeCompare(String(b)) : a - Number(b);
  return down ? -up : up;
}

interface Props {
  column: string;
  title: string;
  order: Order;
  right?: boolean;
  hint?: string;
}

export function SortHeader({ column, title, order, right = false, hint }: Props) {
  const here = order.column === column;
  const flip = (): void => {
    const down = here ? !order.down : right;
    setQuery({ ...route.peek().query, sort: (down ? "-" : "") + column });
  };
  return (
    <th scope="col" class={right ? "right" : ""} aria-sort={here ? (order.down ? "descending" : "ascending") : "none"}>
      <button type="button" class="sort" onClick={flip} title={hint}>
        {title}
        <span aria-hidden="true">{here ? (order.down ? " ▾" : " ▴") : ""}</span>
      </button>
    </th>
  );
}
