import { describe, expect, it } from "vitest";

import { decode } from "../src/live/frame";

interface Parts {
  type: 1 | 2;
  quality: number[];
  age?: number[];
  value: number[];
  wide?: number[];
}

/** Writes a frame the way the twin does, byte by byte. */
function frame({ type, quality, age = [], value, wide = [] }: Parts): ArrayBuffer {
  const n = quality.length;
  const floats = Math.ceil((16 + n + (type === 2 ? 2 * n : 0)) / 4) * 4;
  const doubles = Math.ceil((floats + 4 * n) / 8) * 8;
  const buffer = new ArrayBuffer(doubles + 8 * wide.length);
  const view = new DataView(buffer);
  view.setUint8(0, type);
  view.setUint8(1, 7);
  view.setUint16(2, n, true);
  view.setUint32(4, 4_000_000_000, true);
  view.setFloat64(8, 1_770_000_000.25, true);
  quality.forEach((code, i) => view.setUint8(16 + i, code));
  age.forEach((tenths, i) => view.setUint16(16 + n + 2 * i, tenths, true));
  value.forEach((number, i) => view.setFloat32(floats + 4 * i, number, true));
  wide.forEach((number, i) => view.setFloat64(doubles + 8 * i, number, true));
  return buffer;
}

describe("a value frame", () => {
  it("gives header, quality and values", () => {
    const got = decode(frame({ type: 1, quality: [1, 3, 0], value: [1.5, -2, Number.NaN] }));
    expect([got.id, got.sequence, got.time]).toEqual([7, 4_000_000_000, 1_770_000_000.25]);
    expect([...got.quality]).toEqual([1, 3, 0]);
    expect([...got.value]).toEqual([1.5, -2, Number.NaN]);
    expect(got.age).toBeNull();
  });

  it.each([1, 2, 3, 4, 5])("finds ages and values behind any number of qualities (%i)", (n) => {
    const value = Array.from({ length: n }, (_, i) => i + 0.5);
    const got = decode(frame({ type: 2, quality: value.map(() => 1), age: value.map((_, i) => 10 * i), value }));
    expect([...got.value]).toEqual(value);
    expect([...(got.age ?? [])]).toEqual(value.map((_, i) => i));
  });

  it("says NaN for an age that is too great or unknown", () => {
    const got = decode(frame({ type: 2, quality: [4], age: [65535], value: [1] }));
    expect(got.age?.[0]).toBeNaN();
  });

  it("keeps the resolution of totalisers, which travel as float64", () => {
    const total = 123_456_789.125;
    const got = decode(frame({ type: 1, quality: [1, 1, 1], value: [1, total, 3], wide: [total] }), [1]);
    expect(got.value[1]).toBe(total);
    expect(got.value[2]).toBe(3);
  });

  it("refuses what is cut off or of an unknown type", () => {
    const whole = frame({ type: 1, quality: [1, 1], value: [1, 2] });
    expect(() => decode(whole.slice(0, 20))).toThrow(RangeError);
    new DataView(whole).setUint8(0, 9);
    expect(() => decode(whole)).toThrow(/type 9/);
  });

  it("takes an empty frame, which only says that the twin is there", () => {
    expect(decode(frame({ type: 2, quality: [], value: [] })).value.length).toBe(0);
  });
});
