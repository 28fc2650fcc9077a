/**
 * Elements between memory and registers: whole groups of them, or the few that are left over.
 *
 * @module
 */
import { BYTES, type DType } from "../../src/dtype.ts";
import { i32, type Local, type Value } from "../wasm/value.ts";
import { f32x4, f64x2, i16x8, i32x4, i64x2, i8x16, type LaneBytes, v128 } from "../wasm/simd.ts";
import { type LaneCode, type Lanes, lift, registerOf } from "./lanes.ts";
import { convert, type TypedLanes } from "./typed.ts";

type V128 = Value<"v128">;

/** How many elements a register holds while it is computed with. */
export function lanesOf(code: LaneCode): 2 | 4 {
  return code.float === "float32" ? 4 : 2;
}

/** Where elements lie: an address for each row at hand. */
export interface Place {
  /** The type of the elements. */
  dtype: DType;
  /** The addresses. */
  addresses: readonly Local<"i32">[];
  /** Elements from one to the next where they do not lie side by side; 0 where there is but one. */
  along?: number | undefined;
}

/** How much of a row is left, known when the loop runs. */
export interface Remainder {
  /** The number of elements, at least 1. */
  left: Local<"i32">;
  /** Whether they fill a group. */
  whole: Local<"i32">;
}

/** Moves places and what is left of a row past some groups. */
export function advance(
  code: LaneCode,
  places: Iterable<Place>,
  left: Local<"i32">,
  width: number,
): void {
  const elements = width * lanesOf(code);
  for (const { addresses, dtype, along = 1 } of places) {
    if (along === 0) continue;
    for (const at of addresses) code.builder.increase(at, elements * along * BYTES[dtype]);
  }
  code.builder.increase(left, -elements);
}

/** Reads whole groups of elements, `width` of each row, as they lie in memory. */
export function readGroups(code: LaneCode, place: Place, width: number): Lanes {
  const { dtype, addresses, along = 1 } = place;
  if (along === 0) return readFirst(place);
  if (along !== 1) return readApart(code, place, width);
  const bytes = lanesOf(code) * BYTES[dtype];
  const read = (address: Local<"i32">, offset: number) => {
    if (bytes === 16) return v128.load(address, offset);
    if (bytes === 8) return v128.load64Zero(address, offset);
    return bytes === 4 ? v128.load32Zero(address, offset) : v128.loadSplat(2, address, offset);
  };
  return addresses.flatMap((at) => Array.from({ length: width }, (_, i) => read(at, i * bytes)));
}

/** Where an element lies so many bytes further on: loads skip forwards only. */
function further(at: Local<"i32">, bytes: number): [address: Value<"i32">, offset: number] {
  return bytes < 0 ? [i32.add(at, bytes), 0] : [at, bytes];
}

/** Reads whole groups of elements that do not lie side by side, or the other way round. */
function readApart(code: LaneCode, { dtype, addresses, along = 1 }: Place, width: number): Lanes {
  const bytes = BYTES[dtype];
  return addresses.flatMap((at) =>
    Array.from({ length: width }, (_, group) => {
      const first = group * lanesOf(code);
      let register: V128 = v128.loadSplat(bytes, ...further(at, first * along * bytes));
      for (let lane = 1; lane < lanesOf(code); lane++) {
        const [from, offset] = further(at, (first + lane) * along * bytes);
        register = v128.loadLane(bytes, from, register, lane, offset);
      }
      return register;
    })
  );
}

/** Reads the first element of each row into all lanes. */
export function readFirst({ dtype, addresses }: Place): Lanes {
  return addresses.map((at) => v128.loadSplat(BYTES[dtype], at));
}

/** Reads what is left of a row; lanes for which there is nothing repeat the first one. */
export function readRemainder(
  code: LaneCode,
  places: readonly Place[],
  remainder: Remainder,
): Lanes[] {
  const { builder } = code;
  const registers = places.map(({ addresses }) => addresses.map(() => builder.local("v128")));
  const fill = (read: (place: Place) => Lanes) =>
    places.forEach((place, i) =>
      read(place).forEach((value, row) => builder.set(registers[i]![row]!, value))
    );
  const fillLane = (lane: number) =>
    places.forEach(({ dtype, addresses, along = 1 }, i) => {
      if (along === 0) return;
      addresses.forEach((at, row) => {
        const register = registers[i]![row]!;
        const [from, offset] = further(at, lane * along * BYTES[dtype]);
        builder.set(register, v128.loadLane(BYTES[dtype], from, register, lane, offset));
      });
    });
  eachElement(
    code,
    remainder,
    () => fill((place) => readGroups(code, place, 1)),
    (lane) => lane === 0 ? fill(readFirst) : fillLane(lane),
  );
  return registers;
}

/** Does one thing if a group is whole, else another for each of its elements. */
export function eachElement(
  code: LaneCode,
  { left, whole }: Remainder,
  visitGroup: () => void,
  visitLane: (lane: number) => void,
): void {
  const visitFrom = (lane: number): void => {
    visitLane(lane);
    if (lane === lanesOf(code) - 2) return;
    code.builder.if(i32.gtS(left, lane + 1), () => visitFrom(lane + 1));
  };
  code.builder.if(whole, visitGroup, () => visitFrom(0));
}

/** Values on their way to memory. */
export interface Outgoing extends Place {
  /** The registers, as elements lie in memory. */
  packed: Lanes;
}

/** Writes whole groups of elements, `width` of each row. */
export function writeGroups(code: LaneCode, outgoing: Outgoing, width: number): void {
  const { dtype, addresses, packed } = outgoing;
  const bytes = lanesOf(code) * BYTES[dtype];
  addresses.forEach((at, row) => {
    for (let i = 0; i < width; i++) {
      const register = registerOf(packed, row * width + i, addresses.length * width);
      if (bytes === 16) code.builder.store("v128", at, register, i * bytes);
      else code.builder.storeLane(bytes as LaneBytes, at, register, 0, i * bytes);
    }
  });
}

/** Writes one element of each row. */
export function writeLane(code: LaneCode, outgoing: Outgoing, lane: number): void {
  const { dtype, addresses, packed } = outgoing;
  const bytes = BYTES[dtype];
  addresses.forEach((at, row) =>
    code.builder.storeLane(bytes, at, registerOf(packed, row, addresses.length), lane, lane * bytes)
  );
}

const widenBytes = lift((x: V128) => i32x4.extendLowI16x8U(i16x8.extendLowI8x16U(x)));

/** Elements as they lie in memory, as what is computed with. */
export function unpack(code: LaneCode, dtype: DType, packed: Lanes): TypedLanes {
  if (code.float === "float32") {
    if (dtype === "float64") refuse(code, dtype);
    if (dtype === "float32") return { kind: "float", lanes: packed };
    if (dtype === "int32") return { kind: "integer", lanes: packed };
    return { kind: "truth", lanes: lift(i32x4.neg)(widenBytes(packed)) };
  }
  if (dtype === "float64") return { kind: "float", lanes: packed };
  if (dtype === "float32") return { kind: "float", lanes: lift(f64x2.promoteLowF32x4)(packed) };
  if (dtype === "int32") return { kind: "float", lanes: lift(f64x2.convertLowI32x4S)(packed) };
  const wide = lift(i64x2.extendLowI32x4U)(widenBytes(packed));
  return { kind: "truth", lanes: lift(i64x2.sub)(code.integer(0), wide) };
}

/** What is computed with as elements as they lie in memory. */
export function pack(code: LaneCode, dtype: DType, value: TypedLanes): Lanes {
  if (dtype === "bool") {
    const ones = code.let(lift(v128.and)(convert("truth", code, value), code.integer(0x01010101)));
    const step = 16 / lanesOf(code);
    const order = Array.from({ length: 16 }, (_, i) => i * step % 16);
    return ones.map((register) => i8x16.shuffle(register, register, order));
  }
  if (code.float === "float32") {
    if (dtype === "float64") refuse(code, dtype);
    return dtype === "float32" ? convert("float", code, value) : convert("integer", code, value);
  }
  if (dtype === "int32") refuse(code, dtype);
  const lanes = convert("float", code, value);
  return dtype === "float64" ? lanes : lift(f32x4.demoteF64x2Zero)(lanes);
}

function refuse(code: LaneCode, dtype: DType): never {
  throw new TypeError(
    `Cannot emit a loop as it computes in ${code.float}: current element type is ${dtype}`,
  );
}
