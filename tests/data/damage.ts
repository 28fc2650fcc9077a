/**
 * Damage done to files at random, the same for the same seed.
 *
 * @module
 */
import { checksum } from "../../src/data/h5_messages.ts";
import { assert, assertLess, assertMatch } from "@std/assert";

function numberAfter(flag: string, otherwise: number): number {
  return Number(Deno.args.find((arg) => arg.startsWith(flag))?.slice(flag.length) ?? otherwise);
}

const TIMES = numberAfter("--times=", 1);
const SEED = numberAfter("--seed=", 2);

/** How many milliseconds a file may take: far more than any does, and far less than for ever. */
const PATIENCE = 20_000;

/** What our messages begin with; the engine says that it cannot read properties, or convert. */
const OWN_WORDS = /^Cannot (?:read|compute|sum) (?!propert)/;

/** The numbers below 1 of a seed, as a linear congruential generator makes them. */
function numbersOf(seed: number): () => number {
  return () => (seed = (seed * 1664525 + 1013904223) >>> 0) / 2 ** 32;
}

/** Bytes with a few bits turned, a stretch overwritten, cut off, left out or repeated. */
function damaged(bytes: Uint8Array, random: () => number): Uint8Array<ArrayBuffer> {
  const below = (limit: number) => Math.floor(random() * limit);
  const [at, length, kind] = [below(bytes.length), below(40), below(12)];
  const joined = (end: number, start: number) =>
    Uint8Array.from([...bytes.subarray(0, end), ...bytes.subarray(start)]);
  if (kind === 0) return bytes.slice(0, Math.max(1, at));
  if (kind === 1) return joined(Math.min(bytes.length, at + length), at);
  if (kind === 2) return joined(at, at + length);
  const changed = new Uint8Array(bytes);
  if (kind === 3) return changed.fill(below(256), at, at + length);
  // Digits stay digits: headers that are text, and say more than there is.
  const digit = kind === 4 ? changed.findIndex((byte, i) => i >= at && isDigit(byte)) : -1;
  if (digit >= 0) return changed.fill(0x30 + below(10), digit, digit + 1);
  for (let turned = 0; turned <= kind % 3; turned++) {
    changed[below(bytes.length)]! ^= 1 << below(8);
  }
  return changed;
}

const isDigit = (byte: number) => byte >= 0x30 && byte <= 0x39;

/** Files that are read together, of which one is damaged at a time. */
export interface Sample {
  /** What a failure calls them. */
  readonly name: string;
  /** Their bytes by their paths. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Reads all that there is, with other bytes in the place of those of a path. */
  read(path: string, bytes: Uint8Array<ArrayBuffer>): Promise<unknown>;
}

/** A sample of one file. */
export function lone(
  name: string,
  bytes: Uint8Array,
  read: (bytes: Uint8Array<ArrayBuffer>) => Promise<unknown>,
): Sample {
  return { name, files: new Map([[name, bytes]]), read: (_, damaged) => read(damaged) };
}

/** Damages samples `cases` times: each is read, or refused in the library's own words, and ends. */
export async function damageAll(samples: readonly Sample[], cases: number): Promise<void> {
  const random = numbersOf(SEED);
  const any = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)]!;
  let refused = 0;
  for (let i = 0; i < TIMES * cases; i++) {
    const sample = any(samples);
    const [path, bytes] = any([...sample.files].filter(([, { length }]) => length > 0));
    const what = `${sample.name}, ${path}, case ${i} of seed ${SEED}`;
    const start = performance.now();
    try {
      await sample.read(path, damaged(bytes, random));
    } catch (error) {
      refused++;
      assert(error instanceof Error, what);
      assertMatch(error.message, OWN_WORDS, what);
    }
    assertLess(performance.now() - start, PATIENCE, what);
  }
  assert(refused > 0);
}

/** HDF5's bytes, with checksums of the headers as they are now. */
export function resealed(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer);
  for (let at = 0; at + 16 < bytes.length; at++) {
    if (view.getUint32(at) !== 0x4f484452) continue;
    const flags = bytes[at + 5]!;
    const start = at + 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0);
    const width = 1 << (flags & 3);
    let size = 0;
    for (let i = 0; i < width; i++) size += bytes[start + i]! << (8 * i);
    const end = start + width + size;
    view.setUint32(end, checksum(bytes.subarray(at, end)), true);
  }
  return bytes;
}
