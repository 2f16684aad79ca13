/** Begins the page: looks, listens, asks who and what, and draws. */

import "uplot/dist/uPlot.min.css";
import "./styles/tokens.css";
import "./styles/shell.css";
import "./styles/parts.css";
import "./styles/values.css";
import "./styles/alarms.css";
import "./styles/synoptic.css";
import "./styles/views.css";
import "./styles/commands.css";
import "./styles/trends.css";
import "./styles/whatif.css";

import { effect } from "@preact/signals";
import { render } from "preact";

import { App } from "./app";
import { askCounts, epoch, start } from "./live/live";
import { askHealth, askSession, forgetAssets } from "./plant";
import { followCursor } from "./time/past-cells";
import { startTheme } from "./theme";
import { askTree } from "./tree/known";

const RETRY_MS = 10_000;

async function askAll(): Promise<void> {
  // Each may fail while the link is lost; the banner says so, and the next epoch asks again.
  await Promise.allSettled([askHealth(), askSession(), askTree(), askCounts()]);
}

startTheme();
start();
followCursor();
effect(() => {
  if (epoch.value > 1) forgetAssets();
  void askAll();
});
setInterval(() => void askHealth().catch(() => undefined), RETRY_MS);
render(<App />, document.getElementById("page") as HTMLElement);
