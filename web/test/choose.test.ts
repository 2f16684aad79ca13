import { describe, expect, it } from "vitest";

import type { Asset, SignalInfo } from "../src/api/types";
import { keySignals, meansRunning, runningSignal, symbolFor } from "../src/synoptic/choose";

const signal = (name: string, kind: SignalInfo["kind"] = "analog"): SignalInfo => ({ path: `p/${name}`, name, unit: "1", kind });

function pump(...signals: SignalInfo[]): Asset {
  return { path: "p", name: "pump-1", type: "PumpSet", relations: [], signals, commands: [] };
}

describe("the choice of a symbol", () => {
  it("goes by the words of the type, then of the name", () => {
    expect([
      symbolFor("CentrifugalPump", "x"),
      symbolFor("ControlValve", "pump-valve"),
      symbolFor("StorageTank", "t"),
      symbolFor("Machine", "booster-3"),
      symbolFor("HeatExchanger", "e"),
      symbolFor("Machine", "m-7"),
    ]).toEqual(["pump", "valve", "tank", "pump", "exchanger", "generic"]);
  });
});

describe("the values on the picture", () => {
  it("are at most three, what is measured before what is asked for, and numbers only", () => {
    const asset = pump(
      signal("speed_setpoint"),
      signal("torque"),
      signal("running", "state"),
      signal("discharge_pressure"),
      signal("flow"),
      signal("speed"),
    );
    expect(keySignals(asset).map(({ name }) => name)).toEqual(["speed", "flow", "discharge_pressure"]);
    expect(runningSignal(asset)?.name).toBe("running");
  });

  it("read the words of running in several plants' tongues", () => {
    expect(["running", "On", "stopped", "off", "closed"].map(meansRunning)).toEqual([true, true, false, false, false]);
  });
});
