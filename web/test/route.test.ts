import { describe, expect, it } from "vitest";

import { parse, toHash } from "../src/route/route";

describe("the address", () => {
  it("goes there and back", () => {
    const hash = toHash("asset", "acme/river side/pump#1", { span: 3600, trend: "flow,speed" });
    expect(parse(hash)).toEqual({
      view: "asset",
      path: "acme/river side/pump#1",
      query: { span: "3600", trend: "flow,speed" },
    });
  });

  it("leaves out what is empty", () => {
    expect(toHash("alarms", "", { show: "", page: undefined })).toBe("#/alarms");
  });

  it("is the overview where it cannot be read", () => {
    expect(parse("")).toEqual({ view: "overview", path: "", query: {} });
    expect(parse("#/nowhere/at/all").view).toBe("overview");
  });
});
