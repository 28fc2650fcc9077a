/**
 * Threefry-2x32 with 20 rounds: a keyed mixing of a counter into 64 random bits.
 *
 * A generator without state: every (key, counter) pair can be computed on its own, in any order
 * (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011,
 * https://doi.org/10.1145/2063384.2063405).
 *
 * @module
 */
import { add, type Integer, type IntegerLike, rotate, xor } from "../functions/algebra.ts";

/** The constant that keeps an all-zero key from mixing nothing. */
const PARITY = 0x1BD11BDA;

/** How far bits move in each round, four rounds at a time. */
const ROTATIONS = [[13, 15, 26, 6], [17, 29, 16, 24]] as const;

/** Two words: a key, a counter, or 64 random bits. */
export type Words = readonly [Integer, Integer];

/** What is added to the two words in turn, before the first round and after every fourth. */
export function keySchedule([k0, k1]: Words): Integer[] {
  const words = [k0, k1, xor(xor(k0, k1), PARITY)];
  return Array.from({ length: 6 }, (_, i) => [
    words[i % 3]!,
    add(words[(i + 1) % 3]!, i),
  ]).flat();
}

/** The 64 bits of a counter under the schedule of a key. */
export function threefry(
  added: readonly Integer[],
  counter: readonly [IntegerLike, IntegerLike],
): Words {
  let [x, y] = counter.map((word, i) => add(added[i]!, word)) as [Integer, Integer];
  for (let group = 0; group < 5; group++) {
    for (const by of ROTATIONS[group % 2]!) {
      x = add(x, y);
      y = xor(rotate(y, by), x);
    }
    x = add(x, added[2 * group + 2]!);
    y = add(y, added[2 * group + 3]!);
  }
  return [x, y];
}
