/**
 * The instructions of WebAssembly that kernels use, each of them once: what encodes and what lists
 * them is made from these tables.
 *
 * Numbers have a page in front of their last three digits where the encoding has one.
 *
 * @module
 */
import { type Code, unsignedLeb128 } from "./encoding.ts";

/**
 * Instructions that are told nothing but operands: what stands before the dot of their names, names
 * in the order of their numbers, `-` for none, the first number, the types that they take, and the
 * one they give.
 */
export const OPERATIONS = [
  ["i32", "eqz", 0x45, "i32", "i32"],
  ["i32", "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u", 0x46, "i32 i32", "i32"],
  ["f32", "eq ne lt gt le ge", 0x5b, "f32 f32", "i32"],
  ["f64", "eq ne lt gt le ge", 0x61, "f64 f64", "i32"],
  ["i32", "clz ctz popcnt", 0x67, "i32", "i32"],
  ["i32", "add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u", 0x6a, "i32 i32", "i32"],
  ["f32", "abs neg ceil floor trunc nearest sqrt", 0x8b, "f32", "f32"],
  ["f32", "add sub mul div min max copysign", 0x92, "f32 f32", "f32"],
  ["f64", "abs neg ceil floor trunc nearest sqrt", 0x99, "f64", "f64"],
  ["f64", "add sub mul div min max copysign", 0xa0, "f64 f64", "f64"],
  ["f32", "convert_i32_s", 0xb2, "i32", "f32"],
  ["f32", "demote_f64", 0xb6, "f64", "f32"],
  ["f64", "convert_i32_s", 0xb7, "i32", "f64"],
  ["f64", "promote_f32", 0xbb, "f32", "f64"],
  ["i32", "trunc_sat_f64_s", 0xfc002, "f64", "i32"],
  ["i32x4", "splat", 0xfd011, "i32", "v128"],
  ["f32x4", "splat", 0xfd013, "f32", "v128"],
  ["f64x2", "splat", 0xfd014, "f64", "v128"],
  ["i32x4", "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u", 0xfd037, "v128 v128", "v128"],
  ["f32x4", "eq ne lt gt le ge", 0xfd041, "v128 v128", "v128"],
  ["f64x2", "eq ne lt gt le ge", 0xfd047, "v128 v128", "v128"],
  ["v128", "not", 0xfd04d, "v128", "v128"],
  ["v128", "and andnot or xor", 0xfd04e, "v128 v128", "v128"],
  ["v128", "bitselect", 0xfd052, "v128 v128 v128", "v128"],
  ["v128", "any_true", 0xfd053, "v128", "i32"],
  ["f32x4", "demote_f64x2_zero", 0xfd05e, "v128", "v128"],
  ["f64x2", "promote_low_f32x4", 0xfd05f, "v128", "v128"],
  ["f32x4", "ceil floor trunc nearest", 0xfd067, "v128", "v128"],
  ["f64x2", "ceil floor - - - - trunc", 0xfd074, "v128", "v128"],
  ["i16x8", "extend_low_i8x16_u", 0xfd089, "v128", "v128"],
  ["f64x2", "nearest", 0xfd094, "v128", "v128"],
  ["i32x4", "abs neg", 0xfd0a0, "v128", "v128"],
  ["i32x4", "bitmask", 0xfd0a4, "v128", "i32"],
  ["i32x4", "extend_low_i16x8_u", 0xfd0a9, "v128", "v128"],
  ["i32x4", "shl shr_s shr_u", 0xfd0ab, "v128 i32", "v128"],
  ["i32x4", "add - - sub - - - mul min_s min_u max_s max_u", 0xfd0ae, "v128 v128", "v128"],
  ["i64x2", "bitmask", 0xfd0c4, "v128", "i32"],
  ["i64x2", "extend_low_i32x4_s - extend_low_i32x4_u", 0xfd0c7, "v128", "v128"],
  ["i64x2", "shl shr_s shr_u", 0xfd0cb, "v128 i32", "v128"],
  ["i64x2", "add - - sub", 0xfd0ce, "v128 v128", "v128"],
  ["i64x2", "eq ne lt_s gt_s le_s ge_s", 0xfd0d6, "v128 v128", "v128"],
  ["f32x4", "abs neg - sqrt", 0xfd0e0, "v128", "v128"],
  ["f32x4", "add sub mul div min max pmin pmax", 0xfd0e4, "v128 v128", "v128"],
  ["f64x2", "abs neg - sqrt", 0xfd0ec, "v128", "v128"],
  ["f64x2", "add sub mul div min max pmin pmax", 0xfd0f0, "v128 v128", "v128"],
  ["i32x4", "trunc_sat_f32x4_s", 0xfd0f8, "v128", "v128"],
  ["f32x4", "convert_i32x4_s", 0xfd0fa, "v128", "v128"],
  ["i32x4", "trunc_sat_f64x2_s_zero", 0xfd0fc, "v128", "v128"],
  ["f64x2", "convert_low_i32x4_s", 0xfd0fe, "v128", "v128"],
  ["f32x4", "relaxed_madd relaxed_nmadd", 0xfd105, "v128 v128 v128", "v128"],
  ["f64x2", "relaxed_madd relaxed_nmadd", 0xfd107, "v128 v128 v128", "v128"],
] as const;

/** What stands in the code behind an instruction's number. */
export type Immediate =
  | ("nothing" | "index" | "block type" | "memory" | "lane" | "memory and lane" | "bytes")
  | ("i32" | "f32" | "f64" | "i8x16" | "one zero" | "two zeros");

/** The others: names in the order of their numbers, the first number, and what else they are told. */
const OTHERS: readonly (readonly [names: string, first: number, told: Immediate])[] = [
  ["block loop if", 0x02, "block type"],
  ["else - - - - - end", 0x05, "nothing"],
  ["br br_if - - call", 0x0c, "index"],
  ["select", 0x1b, "nothing"],
  ["local.get local.set local.tee global.get", 0x20, "index"],
  ["i32.load - f32.load f64.load - i32.load8_u", 0x28, "memory"],
  ["i32.store - f32.store f64.store i32.store8", 0x36, "memory"],
  ["i32.const", 0x41, "i32"],
  ["f32.const", 0x43, "f32"],
  ["f64.const", 0x44, "f64"],
  ["memory.copy", 0xfc00a, "two zeros"],
  ["memory.fill", 0xfc00b, "one zero"],
  ["v128.load", 0xfd000, "memory"],
  ["v128.load8_splat v128.load16_splat v128.load32_splat v128.load64_splat", 0xfd007, "memory"],
  ["v128.store", 0xfd00b, "memory"],
  ["v128.const", 0xfd00c, "i8x16"],
  ["i8x16.shuffle", 0xfd00d, "bytes"],
  ["i32x4.extract_lane i32x4.replace_lane", 0xfd01b, "lane"],
  ["f32x4.extract_lane f32x4.replace_lane f64x2.extract_lane f64x2.replace_lane", 0xfd01f, "lane"],
  [
    "v128.load8_lane v128.load16_lane v128.load32_lane v128.load64_lane",
    0xfd054,
    "memory and lane",
  ],
  ["v128.store8_lane v128.store16_lane v128.store32_lane", 0xfd058, "memory and lane"],
  ["v128.store64_lane", 0xfd05b, "memory and lane"],
  ["v128.load32_zero v128.load64_zero", 0xfd05c, "memory"],
];

/** The names of a row with their numbers. */
export function numbered(names: string, first: number): [name: string, number: number][] {
  const all = names.split(" ").map((name, i): [string, number] => [name, first + i]);
  return all.filter(([name]) => name !== "-");
}

/** The bytes of an instruction's number. */
export function opcode(number: number): Code[number] {
  return number < 0x1000 ? number : [number >> 12, unsignedLeb128(number & 0xfff)];
}

const EACH_OTHER = OTHERS.flatMap(([names, first, told]) =>
  numbered(names, first).map(([name, number]) => ({ name, number, told }))
);
const OPCODES = new Map(EACH_OTHER.map(({ name, number }) => [name, opcode(number)]));

/** The bytes of an instruction that is told more than operands. */
export function opcodeOf(name: string): Code[number] {
  return OPCODES.get(name)!;
}

/** All instructions by their numbers. */
export function listInstructions(): Map<number, { name: string; told: Immediate }> {
  const operations = OPERATIONS.flatMap(([prefix, names, first]) =>
    numbered(names, first).map(([name, number]) => ({ name: `${prefix}.${name}`, number }))
  );
  const all = [...operations.map((own) => ({ ...own, told: "nothing" as const })), ...EACH_OTHER];
  return new Map(all.map((own) => [own.number, own]));
}
