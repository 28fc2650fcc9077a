/**
 * The bytes that WebAssembly modules are made of.
 *
 * @module
 */

/** Bytes in arrays of arrays, so that pieces can be put together without copying. */
export type Code = readonly (number | Code)[];

/** A whole number from 0 to 2³² − 1, seven bits to a byte, the lowest first. */
export function unsignedLeb128(value: number): number[] {
  checkWhole("unsignedLeb128", value, 0, 2 ** 32 - 1);
  const bytes: number[] = [];
  do {
    const low = value & 0x7f;
    value >>>= 7;
    bytes.push(value === 0 ? low : low | 0x80);
  } while (value !== 0);
  return bytes;
}

/** A whole number from −2³¹ to 2³¹ − 1; the second highest bit of the last byte is its sign. */
export function signedLeb128(value: number): number[] {
  checkWhole("signedLeb128", value, -(2 ** 31), 2 ** 31 - 1);
  const bytes: number[] = [];
  for (;;) {
    const low = value & 0x7f;
    value >>= 7;
    const done = value === ((low & 0x40) === 0 ? 0 : -1);
    bytes.push(done ? low : low | 0x80);
    if (done) return bytes;
  }
}

function checkWhole(caller: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(
      `Cannot compute ${caller} as value must be a whole number from ${min} to ${max}: ` +
        `current value is ${value}`,
    );
  }
}

/** The bytes of numbers, as they lie in memory. */
export function floatBytes({ buffer }: Float32Array | Float64Array): number[] {
  return [...new Uint8Array(buffer)];
}

/** A vector in the specification's sense: how many items, then the items. */
export function vector(items: readonly Code[]): Code {
  return [unsignedLeb128(items.length), ...items];
}

/** A name: its UTF-8 bytes, counted. */
export function nameBytes(name: string): Code {
  return sized([...new TextEncoder().encode(name)]);
}

/** Anything, after the number of its bytes. */
export function sized(content: Code): Code {
  const bytes = flatten(content);
  return [unsignedLeb128(bytes.length), bytes];
}

/** The bytes in one row. */
export function flatten(code: Code): number[] {
  return (code as unknown[]).flat(Infinity) as number[];
}
