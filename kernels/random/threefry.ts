/**
 * Threefry-2x32 with 20 rounds: a keyed mixing of a counter into 64 random bits.
 *
 * A generator without state: every (key, counter) pair can be computed on its own, in any order
 * (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011,
 * https://doi.org/10.1145/2063384.2063405).
 *
 * @module
 */

/** The constant that keeps an all-zero key from mixing nothing. */
const PARITY = 0x1BD11BDA;

/** Fills `out[0]` and `out[1]` with the 64 bits of counter `(c0, c1)` under key `(k0, k1)`. */
export function threefry2x32(
  out: Int32Array,
  k0: number,
  k1: number,
  c0: number,
  c1: number,
): void {
  const k2 = k0 ^ k1 ^ PARITY;
  let x = c0 + k0 | 0;
  let y = c1 + k1 | 0;
  x = x + y | 0, y = (y << 13 | y >>> 19) ^ x;
  x = x + y | 0, y = (y << 15 | y >>> 17) ^ x;
  x = x + y | 0, y = (y << 26 | y >>> 6) ^ x;
  x = x + y | 0, y = (y << 6 | y >>> 26) ^ x;
  x = x + k1 | 0, y = y + k2 + 1 | 0;
  x = x + y | 0, y = (y << 17 | y >>> 15) ^ x;
  x = x + y | 0, y = (y << 29 | y >>> 3) ^ x;
  x = x + y | 0, y = (y << 16 | y >>> 16) ^ x;
  x = x + y | 0, y = (y << 24 | y >>> 8) ^ x;
  x = x + k2 | 0, y = y + k0 + 2 | 0;
  x = x + y | 0, y = (y << 13 | y >>> 19) ^ x;
  x = x + y | 0, y = (y << 15 | y >>> 17) ^ x;
  x = x + y | 0, y = (y << 26 | y >>> 6) ^ x;
  x = x + y | 0, y = (y << 6 | y >>> 26) ^ x;
  x = x + k0 | 0, y = y + k1 + 3 | 0;
  x = x + y | 0, y = (y << 17 | y >>> 15) ^ x;
  x = x + y | 0, y = (y << 29 | y >>> 3) ^ x;
  x = x + y | 0, y = (y << 16 | y >>> 16) ^ x;
  x = x + y | 0, y = (y << 24 | y >>> 8) ^ x;
  x = x + k1 | 0, y = y + k2 + 4 | 0;
  x = x + y | 0, y = (y << 13 | y >>> 19) ^ x;
  x = x + y | 0, y = (y << 15 | y >>> 17) ^ x;
  x = x + y | 0, y = (y << 26 | y >>> 6) ^ x;
  x = x + y | 0, y = (y << 6 | y >>> 26) ^ x;
  out[0] = x + k2 | 0;
  out[1] = y + k0 + 5 | 0;
}

/** A key's two words. */
export type Words = ArrayLike<number>;

const bits = new Int32Array(2);

/**
 * The number of one element's draw, in the open interval (0, 1): a middle of one of 2⁵² equal
 * parts, so that neither it nor its complement is ever 0.
 */
export function draw(key: Words, element: number, attempt: number): number {
  threefry2x32(bits, key[0]!, key[1]!, attempt, element);
  return ((bits[0]! >>> 0) * 0x100000 + (bits[1]! >>> 12) + 0.5) * 2 ** -52;
}
