/**
 * WebAssembly modules as text, in the format of the WebAssembly specification: an instruction per
 * line, to be read, and to be assembled again.
 *
 * @module
 */
import { readLeb128 } from "./encoding.ts";
import { TYPE_CODES } from "./value.ts";

const INTEGER = "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u";
const FLOAT = "eq ne lt gt le ge";
const REAL = "abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign";
const VECTOR = "abs neg - sqrt add sub mul div min max pmin pmax";

/** Instructions by page and number, from a first one on: `type:` and its names, `-` for none. */
const NAMES: readonly (readonly [page: number, first: number, names: string])[] = [
  [0, 0x0c, ": br br_if"],
  [0, 0x10, ": call"],
  [0, 0x1b, ": select"],
  [0, 0x20, "local: get set tee"],
  [0, 0x28, "i32: load - f32: load f64: load - i32: load8_u"],
  [0, 0x36, "i32: store - f32: store f64: store i32: store8"],
  [0, 0x41, "i32: const - f32: const f64: const"],
  [0, 0x45, `i32: eqz ${INTEGER}`],
  [0, 0x5b, `f32: ${FLOAT} f64: ${FLOAT}`],
  [0, 0x67, "i32: clz ctz popcnt add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u"],
  [0, 0x8b, `f32: ${REAL} f64: ${REAL}`],
  [0, 0xb2, "f32: convert_i32_s - - - demote_f64 f64: convert_i32_s - - - promote_f32"],
  [0xfc, 2, "i32: trunc_sat_f64_s"],
  [0xfc, 10, "memory: copy fill"],
  [0xfd, 0, "v128: load"],
  [0xfd, 7, "v128: load8_splat load16_splat load32_splat load64_splat store const i8x16: shuffle"],
  [0xfd, 17, "i32x4: splat - f32x4: splat f64x2: splat"],
  [0xfd, 27, "i32x4: extract_lane replace_lane"],
  [0xfd, 31, "f32x4: extract_lane replace_lane f64x2: extract_lane replace_lane"],
  [0xfd, 35, `i8x16: ${INTEGER} i16x8: ${INTEGER} i32x4: ${INTEGER}`],
  [0xfd, 65, `f32x4: ${FLOAT} f64x2: ${FLOAT}`],
  [0xfd, 77, "v128: not and andnot or xor bitselect any_true"],
  [0xfd, 84, "v128: load8_lane load16_lane load32_lane load64_lane"],
  [0xfd, 88, "v128: store8_lane store16_lane store32_lane store64_lane load32_zero load64_zero"],
  [0xfd, 94, "f32x4: demote_f64x2_zero f64x2: promote_low_f32x4"],
  [0xfd, 103, "f32x4: ceil floor trunc nearest"],
  [0xfd, 116, "f64x2: ceil floor - - - - trunc"],
  [0xfd, 137, "i16x8: extend_low_i8x16_u"],
  [0xfd, 148, "f64x2: nearest"],
  [0xfd, 160, "i32x4: abs neg - - bitmask - - extend_low_i16x8_s - extend_low_i16x8_u"],
  [0xfd, 171, "i32x4: shl shr_s shr_u add - - sub - - - mul min_s min_u max_s max_u"],
  [0xfd, 196, "i64x2: bitmask - - extend_low_i32x4_s - extend_low_i32x4_u"],
  [0xfd, 203, "i64x2: shl shr_s shr_u add - - sub"],
  [0xfd, 224, `f32x4: ${VECTOR} f64x2: ${VECTOR}`],
  [0xfd, 248, "i32x4: trunc_sat_f32x4_s - f32x4: convert_i32x4_s"],
  [0xfd, 252, "i32x4: trunc_sat_f64x2_s_zero - f64x2: convert_low_i32x4_s"],
  [0xfd, 0x105, "f32x4: relaxed_madd relaxed_nmadd f64x2: relaxed_madd relaxed_nmadd"],
];

const [BLOCK, LOOP, IF, ELSE, END] = [2, 3, 4, 5, 0x0b];
const OPENINGS: Record<number, string> = { [BLOCK!]: "block", [LOOP!]: "loop", [IF!]: "if" };
const PAGES: readonly number[] = [0xfc, 0xfd];
const [TYPES, IMPORTS, FUNCTIONS, EXPORTS, CODE] = [1, 2, 3, 7, 10];
const HEADER_BYTES = 8;

/** How the limits of a memory begin that threads share. */
const SHARED = 3;

/**
 * A module with functions and the memory that it imports, as text.
 *
 * @param bytes The module.
 * @returns Its text, without a line break at the end.
 */
export function listModule(bytes: Uint8Array): string {
  const reader = new Reader(bytes, HEADER_BYTES);
  const lines: Record<number, string[]> = {};
  let typeOf: number[] = [];
  while (!reader.isAtEnd) {
    const section = reader.byte();
    reader.number();
    switch (section) {
      case TYPES:
        lines[section] = reader.list(() => {
          reader.byte();
          const [parameters, results] = [
            reader.list(() => reader.type()),
            reader.list(() => reader.type()),
          ];
          return `(type (func${clause("param", parameters)}${clause("result", results)}))`;
        });
        break;
      case IMPORTS:
        lines[section] = reader.list(() => {
          const name = `(import "${reader.name()}" "${reader.name()}"`;
          if (reader.byte() === 0) return `${name} (func (type ${reader.number()})))`;
          const [isShared, pages] = [reader.byte() === SHARED, reader.number()];
          return `${name} (memory ${pages}${isShared ? ` ${reader.number()} shared` : ""}))`;
        });
        break;
      case FUNCTIONS:
        typeOf = reader.list(() => reader.number());
        break;
      case EXPORTS:
        lines[section] = reader.list(() => {
          const name = reader.name();
          reader.byte();
          return `(export "${name}" (func ${reader.number()}))`;
        });
        break;
      case CODE: {
        const types = typeOf.values();
        lines[section] = reader.list(() => listFunction(reader, types.next().value!)).flat();
      }
    }
  }
  const all = [TYPES, IMPORTS, CODE, EXPORTS].flatMap((section) => lines[section!] ?? []);
  return ["(module", ...all.map((line) => `  ${line}`), ")"].join("\n");
}

function clause(name: string, types: readonly string[]): string {
  return types.length === 0 ? "" : ` (${[name, ...types].join(" ")})`;
}

/** A function, an instruction per line. */
function listFunction(reader: Reader, type: number): string[] {
  reader.number();
  const groups = reader.list(() => ({ count: reader.number(), type: reader.type() }));
  const locals = groups.flatMap(({ count, type }) => Array<string>(count).fill(type));
  const lines = [`(func (type ${type})${clause("local", locals)}`];
  for (let depth = 1; depth > 0;) {
    const code = reader.byte();
    if (code === END || code === ELSE) depth--;
    const indent = "  ".repeat(depth);
    if (code === END) lines.push(depth === 0 ? ")" : `${indent}end`);
    else if (code === ELSE) lines.push(`${indent}else`);
    else if (OPENINGS[code] === undefined) lines.push(indent + instruction(code, reader));
    else {
      lines.push(indent + OPENINGS[code]);
      reader.byte();
    }
    if (code === ELSE || OPENINGS[code] !== undefined) depth++;
  }
  return lines;
}

/** An instruction that opens nothing, and what it is given. */
function instruction(code: number, reader: Reader): string {
  const isPage = PAGES.includes(code);
  const [page, number] = isPage ? [code, reader.number()] : [0, code];
  const name = (names ??= namesOf()).get(`${page} ${number}`);
  if (name === undefined) {
    throw new RangeError(`There is no name for the instruction ${number} of page ${page}`);
  }
  const [kind] = name.match(/(?<=\.)(?:load|store|const|shuffle|copy|fill)|_lane$/) ?? [];
  switch (kind) {
    case "load":
    case "store": {
      const [align, offset] = [2 ** reader.number(), reader.number()];
      const place = `${offset === 0 ? "" : ` offset=${offset}`} align=${align}`;
      return `${name}${place}${name.endsWith("_lane") ? ` ${reader.byte()}` : ""}`;
    }
    case "_lane":
      return `${name} ${reader.byte()}`;
    case "shuffle":
      return `${name} ${reader.bytes(16).join(" ")}`;
    case "copy":
      reader.bytes(2);
      return name;
    case "fill":
      reader.byte();
      return name;
    case "const":
      return `${name} ${constant(name, reader)}`;
  }
  return page === 0 && number <= 0x21 && name !== "select" ? `${name} ${reader.number()}` : name;
}

function constant(name: string, reader: Reader): string {
  if (name === "v128.const") return `i8x16 ${reader.bytes(16).join(" ")}`;
  if (name === "i32.const") return String(reader.signed());
  const bytes = reader.bytes(name === "f32.const" ? 4 : 8);
  const view = new DataView(bytes.slice().buffer);
  const value = bytes.length === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true);
  if (Number.isFinite(value)) return Object.is(value, -0) ? "-0" : String(value);
  return Number.isNaN(value) ? "nan" : value < 0 ? "-inf" : "inf";
}

let names: ReadonlyMap<string, string> | undefined;

function namesOf(): Map<string, string> {
  const all = new Map<string, string>();
  for (const [page, first, list] of NAMES) {
    let [type, number] = ["", first];
    for (const word of list.split(" ")) {
      if (word.endsWith(":")) type = word.replace(/^:$/, "").replace(":", ".");
      else all.set(`${page} ${number++}`, type + word);
    }
  }
  return all;
}

/** Bytes, read from the first to the last. */
class Reader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    return this.#bytes[this.#at++]!;
  }

  bytes(count: number): Uint8Array {
    return this.#bytes.subarray(this.#at, this.#at += count);
  }

  number(): number {
    const [value, end] = readLeb128(this.#bytes, this.#at);
    this.#at = end;
    return value;
  }

  /** The same with a sign. */
  signed(): number {
    const start = this.#at;
    const value = this.number();
    const bits = 7 * (this.#at - start);
    return value >= 2 ** (bits - 1) ? value - 2 ** bits : value;
  }

  list<T>(read: () => T): T[] {
    return Array.from({ length: this.number() }, read);
  }

  name(): string {
    return new TextDecoder().decode(this.bytes(this.number()));
  }

  type(): string {
    const code = this.byte();
    return Object.entries(TYPE_CODES).find(([, known]) => known === code)![0];
  }
}
