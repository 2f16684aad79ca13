/** Grey pictures of equipment in a box of 96 × 72, lines meet them at half height. */

import type { SymbolName } from "./choose";

export const SYMBOL = { width: 96, height: 72 } as const;

function Pump() {
  return (
    <>
      <path class="base" d="M30 66h36l-7-12H37z" />
      <circle class="body" cx="48" cy="36" r="25" />
      <path class="detail" d="M37 20 73 36 37 52z" />
      <path class="pipe-end" d="M0 36h23M73 36h23" />
    </>
  );
}

/** The tank's liquid is drawn by its level; see Tank level in node.tsx. */
export const TANK = { x: 20, y: 4, width: 56, height: 64 } as const;

function Tank() {
  return (
    <>
      <path class="pipe-end" d="M0 36h20M76 36h20" />
      <rect class="body" {...TANK} rx="5" />
    </>
  );
}

function Valve() {
  return (
    <>
      <path class="pipe-end" d="M0 36h20M76 36h20" />
      <path class="base" d="M48 36V16M34 16a14 12 0 0 1 28 0z" />
      <path class="body" d="M20 20v32l56-32v32z" />
    </>
  );
}

function Demand() {
  return (
    <>
      <path class="pipe-end" d="M0 36h18" />
      <path class="body" d="M18 66V34l18-14 18 14v32zM54 66V26h26v40z" />
      <path class="detail" d="M30 66V52h12v14zM61 34h5M69 34h5M61 44h5M69 44h5M61 54h5M69 54h5" />
    </>
  );
}

function Motor() {
  return (
    <>
      <path class="pipe-end" d="M0 36h16M80 36h16" />
      <path class="base" d="M26 62h44v6H26z" />
      <rect class="body" x="16" y="12" width="64" height="50" rx="6" />
      <path class="detail" d="M26 20v34M34 20v34M42 20v34M50 20v34M58 20v34" />
    </>
  );
}

function Exchanger() {
  return (
    <>
      <path class="pipe-end" d="M0 36h20M76 36h20" />
      <circle class="body" cx="48" cy="36" r="28" />
      <path class="detail line" d="M20 36h14l8-14 12 28 8-14h14" />
    </>
  );
}

function Generic() {
  return (
    <>
      <path class="pipe-end" d="M0 36h16M80 36h16" />
      <rect class="body" x="16" y="8" width="64" height="56" rx="4" />
      <path class="detail line" d="M28 26h40M28 36h40M28 46h24" />
    </>
  );
}

const DRAWINGS: Record<SymbolName, () => preact.JSX.Element> = {
  pump: Pump,
  tank: Tank,
  valve: Valve,
  demand: Demand,
  motor: Motor,
  exchanger: Exchanger,
  generic: Generic,
};

export function Equipment({ name }: { name: SymbolName }) {
  const Drawing = DRAWINGS[name];
  return <Drawing />;
}
