/** The head of a column by which a table can be sorted. */

import { route, setQuery } from "../route/current";
import type { Order } from "./sort-order";

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
