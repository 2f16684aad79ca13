/** What is, or was, expected of an asset's readings; live, asked again when a fact says that one left its band or is back. */

import { useEffect } from "preact/hooks";

import { get } from "../api/http";
import { onFact } from "../live/live";
import { useFetched } from "../parts/use-fetched";
import { inPast } from "../time/cursor";
import { atQuery, pastTime } from "../time/shown";
import type { Residual } from "./types";

const MOST = 1000;

/** By path of the signal; empty where no dynamic model expects anything. */
export function useResiduals(asset: string): ReadonlyMap<string, Residual> {
  const { data, again } = useFetched(
    (signal) => get<{ items: Residual[] }>("residuals", { asset, limit: MOST, ...atQuery() }, signal),
    [asset, pastTime.value],
  );
  const news = (kind: string | undefined): boolean => !inPast.peek() && (kind === undefined || kind.startsWith("Residual"));
  useEffect(() => onFact((fact) => news(fact?.kind) && again()), [asset]);
  return new Map((data.value?.items ?? []).map((one) => [one.signal, one]));
}
