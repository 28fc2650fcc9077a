/**
 * Collecting the keys of a line that are to be sorted, with their positions.
 *
 * @module
 */
import { i32, type Local, type Value } from "../wasm/value.ts";
import { v128 } from "../wasm/simd.ts";
import type { KeyType } from "./keys.ts";
import { keyAddress, type Line, loadKeys } from "./threshold.ts";

/** Where keys come from and go to. */
export interface Collection {
  /** The line that is read. */
  line: Line;
  /** Where the next key goes; the collection ends here. */
  end: Local<"i32">;
  /** Bytes from a key to its position. */
  distance: number;
}

/** Writes a key of the line and its position at the end. */
function emitPair(
  { line: { code, keys, descending }, end, distance }: Collection,
  at: Value<"i32">,
  position: Value<"i32">,
): Local<KeyType> {
  const x = keys.load(at);
  const key = code.let(descending ? keys.reverse(x) : x);
  code.store(keys.type, end, key);
  code.store("i32", end, position, distance);
  return key;
}

/** Collects all keys from position `first` on but NaN, and those above a bound if there is one. */
export function emitCollection(
  collection: Collection,
  first: number,
  bound?: Local<KeyType>,
): void {
  const { line, end } = collection;
  const { code, keys } = line;
  const position = code.let(i32.const(first));
  code.while(i32.ltS(position, line.count), () => {
    const key = emitPair(collection, keyAddress(line, position), position);
    const isMissing = i32.eqz(keys.equal(key, key));
    const isLeft = bound === undefined ? isMissing : i32.or(keys.less(bound, key), isMissing);
    // What is left is written over by the next.
    code.increase(end, i32.shl(i32.eqz(isLeft), Math.log2(keys.bytes)));
    code.increase(position, 1);
  });
}

/** Collects the keys that are needed of those that do not exceed a bound, where most do. */
export function emitFilter(collection: Collection, bound: Local<KeyType>): void {
  const { line, end } = collection;
  const { code, keys: { vector, bytes, lanes } } = line;
  const whole = line.count - line.count % (4 * lanes);
  const bounds = code.let(vector.splat(bound));
  const enough = code.let(i32.add(end, line.kept * bytes));
  const position = code.let(i32.const(0));
  const collect = (compare: typeof vector.less) =>
    emitGroup(collection, position, (x) => compare(x, bounds));
  code.while(
    i32.and(i32.ltS(position, whole), i32.ltU(end, enough)),
    () => collect(vector.lessEqual),
  );
  // With enough keys before it, one that equals the bound comes too late.
  code.while(i32.ltS(position, whole), () => collect(vector.less));
  emitCollection(collection, whole, bound);
}

/** Collects those of the next four vectors' keys that are wanted. */
function emitGroup(
  collection: Collection,
  position: Local<"i32">,
  isWanted: (x: Value<"v128">) => Value<"v128">,
): void {
  const { line, end } = collection;
  const { code, keys: { vector, lanes, bytes } } = line;
  const address = code.let(keyAddress(line, position));
  const masks: Value<"v128">[] = [0, 1, 2, 3].map((i) =>
    code.let(isWanted(loadKeys(line, address, 16 * i)))
  );
  const any = masks.reduce((x, y) => v128.or(x, y));
  code.if(v128.anyTrue(any), () => {
    const bits = code.let(
      masks.map((mask, i) => i32.shl(vector.bitmask(mask), i * lanes)).reduce(i32.or),
    );
    code.repeat(() => {
      const place = code.let(i32.ctz(bits));
      const at = i32.add(address, i32.shl(place, Math.log2(bytes)));
      emitPair(collection, at, i32.add(position, place));
      code.increase(end, bytes);
      code.set(bits, i32.and(bits, i32.sub(bits, 1)));
    }, bits);
  });
  code.increase(position, 4 * lanes);
}
