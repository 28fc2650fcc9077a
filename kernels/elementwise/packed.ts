/**
 * Elements between memory and registers, whole groups of them or the few that are left over.
 *
 * @module
 */
import type { CodeBuilder } from "../wasm/code.ts";
import { i32 } from "../wasm/scalar.ts";
import { f32x4, f64x2, i16x8, i32x4, i64x2, i8x16, type LaneBytes, v128 } from "../wasm/simd.ts";
import type { Local, Value } from "../wasm/value.ts";
import { bits, int32, type LaneCode, type Lanes, lift } from "./lanes.ts";
import { toFloat, toInteger, toTruth, type TypedLanes } from "./typed.ts";

/** The type of elements in memory; `bool` is one byte, 0 or 1. */
export type ElementType = "float32" | "float64" | "int32" | "bool";

/** The size of an element. */
export const ELEMENT_BYTES: Readonly<Record<ElementType, LaneBytes>> = {
  float32: 4,
  float64: 8,
  int32: 4,
  bool: 1,
};

/** How many elements a register holds while it is computed with. */
export function lanesOf(code: LaneCode): 2 | 4 {
  return code.float === "float32" ? 4 : 2;
}

type Address = Local<"i32">;
type V128 = Value<"v128">;

/** Reads whole groups of elements, `width` of them, as they lie in memory. */
export function loadGroups(
  code: LaneCode,
  dtype: ElementType,
  address: Address,
  width: number,
): Lanes {
  const bytes = lanesOf(code) * ELEMENT_BYTES[dtype];
  return Array.from({ length: width }, (_, i) => {
    const offset = i * bytes;
    if (bytes === 16) return v128.load(address, offset);
    if (bytes === 8) return v128.load64Zero(address, offset);
    return bytes === 4 ? v128.load32Zero(address, offset) : v128.loadSplat(2, address, offset);
  });
}

/** Reads the first element into all lanes. */
export function loadFirst(dtype: ElementType, address: Address): V128 {
  return v128.loadSplat(ELEMENT_BYTES[dtype], address);
}

/** Calls `visit` for the second and later of the `count` elements, fewer than a group, at run time. */
export function eachOther(
  code: LaneCode,
  count: Local<"i32">,
  visit: (lane: number) => void,
  lane = 1,
): void {
  if (lane >= lanesOf(code) - 1) return;
  code.builder.if(i32.gtS(count, lane), () => {
    visit(lane);
    eachOther(code, count, visit, lane + 1);
  });
}

/** Reads one more element into its lane. */
export function loadOther(
  builder: CodeBuilder,
  dtype: ElementType,
  address: Address,
  register: Local<"v128">,
  lane: number,
): void {
  const bytes = ELEMENT_BYTES[dtype];
  builder.set(register, v128.loadLane(bytes, address, register, lane, lane * bytes));
}

/** Writes whole groups of elements. */
export function storeGroups(
  code: LaneCode,
  dtype: ElementType,
  address: Address,
  packed: Lanes,
  width: number,
): void {
  const bytes = lanesOf(code) * ELEMENT_BYTES[dtype];
  for (let i = 0; i < width; i++) {
    const register = packed[i] ?? packed[0]!;
    if (bytes === 16) code.builder.store("v128", address, register, i * bytes);
    else code.builder.storeLane(bytes as LaneBytes, address, register, 0, i * bytes);
  }
}

/** Writes one element from its lane. */
export function storeOne(
  builder: CodeBuilder,
  dtype: ElementType,
  address: Address,
  register: V128,
  lane: number,
): void {
  const bytes = ELEMENT_BYTES[dtype];
  builder.storeLane(bytes, address, register, lane, lane * bytes);
}

const widenBytes = lift((x: V128) => i32x4.extendLowI16x8U(i16x8.extendLowI8x16U(x)));

/** Elements as they lie in memory, as what is computed with. */
export function unpack(code: LaneCode, dtype: ElementType, packed: Lanes): TypedLanes {
  if (code.float === "float32") {
    if (dtype === "float64") refuse(code, dtype);
    if (dtype === "float32") return { kind: "float", lanes: packed };
    if (dtype === "int32") return { kind: "integer", lanes: packed };
    return { kind: "truth", lanes: int32.neg(widenBytes(packed)) };
  }
  if (dtype === "float64") return { kind: "float", lanes: packed };
  if (dtype === "float32") return { kind: "float", lanes: lift(f64x2.promoteLowF32x4)(packed) };
  if (dtype === "int32") return { kind: "float", lanes: lift(f64x2.convertLowI32x4S)(packed) };
  const wide = lift(i64x2.extendLowI32x4U)(widenBytes(packed));
  return { kind: "truth", lanes: lift(i64x2.sub)(code.integer(0), wide) };
}

/** What is computed with as elements as they lie in memory. */
export function pack(code: LaneCode, dtype: ElementType, value: TypedLanes): Lanes {
  if (dtype === "bool") {
    const ones = code.let(bits.and(toTruth(code, value), code.integer(0x01010101)));
    const step = 16 / lanesOf(code);
    const order = Array.from({ length: 16 }, (_, i) => i * step % 16);
    return ones.map((register) => i8x16.shuffle(register, register, order));
  }
  if (code.float === "float32") {
    if (dtype === "float64") refuse(code, dtype);
    return dtype === "float32" ? toFloat(code, value) : toInteger(code, value);
  }
  if (dtype === "int32") refuse(code, dtype);
  const lanes = toFloat(code, value);
  return dtype === "float64" ? lanes : lift(f32x4.demoteF64x2Zero)(lanes);
}

function refuse(code: LaneCode, dtype: ElementType): never {
  throw new TypeError(
    `Cannot emit a loop as it computes in ${code.float}: current element type is ${dtype}`,
  );
}
