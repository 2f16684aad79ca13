/** The frame around every view: the same header, banner and tree everywhere. */

import { useEffect } from "preact/hooks";

import { nameText, lastPart } from "./format";
import { Failing } from "./parts/failing";
import { health } from "./plant";
import { route } from "./route/current";
import type { ViewName } from "./route/route";
import { Header } from "./shell/header";
import { LinkBanner } from "./shell/banner";
import { Problems } from "./shell/problems";
import { TimeBar } from "./shell/time-bar";
import { Tree } from "./shell/tree";
import { AlarmsView } from "./views/alarms";
import { AssetView } from "./views/asset";
import { AuditView } from "./views/audit";
import { CommandsView } from "./views/commands";
import { CompareView } from "./views/compare";
import { OverviewView } from "./views/overview";
import { QualityView } from "./views/quality";
import { WhatIfView } from "./views/whatif";

const VIEWS: Record<ViewName, () => preact.JSX.Element> = {
  overview: OverviewView,
  asset: AssetView,
  alarms: AlarmsView,
  commands: CommandsView,
  compare: CompareView,
  quality: QualityView,
  audit: AuditView,
  whatif: WhatIfView,
};

export function App() {
  const { view, path } = route.value;
  const View = VIEWS[view];
  useEffect(() => {
    const about = path ? nameText(lastPart(path)) : nameText(view);
    document.title = `${about} – ${health.value?.title ?? "gemel"}`;
  }, [view, path, health.value?.title]);
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        To the content
      </a>
      <Header />
      <LinkBanner />
      <TimeBar />
      <div class="frame">
        <Tree />
        <main id="main" tabIndex={-1}>
          <Problems />
          <Failing key={`${view} ${path}`}>
            <View />
          </Failing>
        </main>
      </div>
    </>
  );
}

/** Moves the focus without touching the address, which holds the route. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}
