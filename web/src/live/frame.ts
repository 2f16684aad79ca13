/**
 * The binary value frame, little-endian:
 * u8 type (1 values, 2 values and age), u8 id, u16 n, u32 sequence, f64 plant time [s], u8 quality[n],
 * (type 2: u16 age[n] in 0.1 s), padding to 4, f32 value[n], padding to 8, f64 wide[m].
 */

const HEADER = 16;
const NEVER = 65535;

export interface Frame {
  /** Subscription the frame answers; its order of signals is the order here. */
  id: number;
  sequence: number;
  /** Plant time [s since 1970, UTC]. */
  time: number;
  quality: Uint8Array;
  /** Seconds since the reading's own time, NaN where older than an hour or two or never; null in type 1. */
  age: Float64Array | null;
  value: Float64Array;
}

function ages(view: DataView, at: number, n: number): Float64Array {
  const out = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const tenths = view.getUint16(at + 2 * i, true);
    out[i] = tenths === NEVER ? Number.NaN : tenths / 10;
  }
  return out;
}

/**
 * Decodes one frame. `wide` names the positions that travel as float64 (totalisers), in the order agreed at
 * subscription. Throws RangeError when the buffer is shorter than its header says.
 */
export function decode(buffer: ArrayBuffer, wide: readonly number[] = []): Frame {
  const view = new DataView(buffer);
  const type = view.getUint8(0);
  if (type !== 1 && type !== 2) throw new RangeError(`unknown frame type ${type}`);
  const n = view.getUint16(2, true);
  const quality = new Uint8Array(buffer, HEADER, n);
  const aged = type === 2;
  const end = HEADER + n + (aged ? 2 * n : 0);
  const floats = (end + 3) & ~3;
  const doubles = (floats + 4 * n + 7) & ~7;
  const value = new Float64Array(n);
  for (let i = 0; i < n; i++) value[i] = view.getFloat32(floats + 4 * i, true);
  wide.forEach((position, k) => {
    value[position] = view.getFloat64(doubles + 8 * k, true);
  });
  return {
    id: view.getUint8(1),
    sequence: view.getUint32(4, true),
    time: view.getFloat64(8, true),
    quality,
    age: aged ? ages(view, HEADER + n, n) : null,
    value,
  };
}
