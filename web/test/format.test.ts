import { describe, expect, it } from "vitest";

import { ageText, dateTime, decimalsFor, numberText, padDecimals, unitText } from "../src/format";

describe("numbers", () => {
  it("have about four significant digits of their range", () => {
    expect([[0, 3600], [0, 400], [-20, 150], [0, 6], [0, 1], null].map((range) => decimalsFor(range as never))).toEqual(
      [0, 1, 1, 3, 3, 2],
    );
  });

  it("have a real minus, groups of thousands, and no negative nothing", () => {
    expect(numberText(-12345.678, 1)).toBe("−12\u202f345.7");
    expect(numberText(1234, 0)).toBe("1234");
    expect(numberText(-0.001, 1)).toBe("0.0");
    expect([numberText(null, 1), numberText(Number.NaN, 1)]).toEqual(["–", "–"]);
  });

  it("stand with their points below each other", () => {
    expect(padDecimals("1480", 0, 3)).toBe("1480\u2008\u2007\u2007\u2007");
    expect(padDecimals("212.5", 1, 3)).toBe("212.5\u2007\u2007");
    expect(padDecimals("1.234", 3, 3)).toBe("1.234");
  });
});

describe("words", () => {
  it("write units as people do", () => {
    expect(["m3/h", "degC", "1", "rpm", "W/m2", "kW.h"].map(unitText)).toEqual([
      "m³/h",
      "°C",
      "",
      "rpm",
      "W/m²",
      "kW.h",
    ]);
  });

  it("say ages in the largest unit that says something", () => {
    expect([0.44, 11, 300, 7300, 200_000, Number.NaN].map(ageText)).toEqual(["0.4 s", "11 s", "5 min", "2 h", "2 d", "–"]);
  });

  it("say times in the plant's zone, across its change of clocks", () => {
    const spring = Date.UTC(2026, 2, 29, 0, 59, 59) / 1000;
    expect(dateTime(spring, "Europe/Berlin")).toBe("2026-03-29 01:59:59");
    expect(dateTime(spring + 1, "Europe/Berlin")).toBe("2026-03-29 03:00:00");
  });
});
