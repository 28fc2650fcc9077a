/**
 * WebAssembly modules as text, in the format of the WebAssembly specification: an instruction per
 * line, to be read, and to be assembled again.
 *
 * @module
 */
import { type Immediate, listInstructions } from "./instructions.ts";
import { TYPE_CODES } from "./value.ts";

const [TYPES, IMPORTS, FUNCTIONS, EXPORTS, CODE] = [1, 2, 3, 7, 10];
const HEADER_BYTES = 8;

/** How the limits of a memory begin that threads share. */
const SHARED = 3;

/** What sections hold, by the numbers of these: types of functions, and parts of the text. */
const ITEMS: Record<number, (reader: Reader) => string> = {
  [TYPES!]: (reader) => {
    reader.skip(1);
    return `(type (func${clause("param", reader.types())}${clause("result", reader.types())}))`;
  },
  [IMPORTS!]: (reader) => {
    const name = `(import "${reader.name()}" "${reader.name()}"`;
    if (reader.byte() === 0) return `${name} (func (type ${reader.number()})))`;
    const [isShared, pages] = [reader.byte() === SHARED, reader.number()];
    return `${name} (memory ${pages}${isShared ? ` ${reader.number()} shared` : ""}))`;
  },
  [FUNCTIONS!]: (reader) => `(func (type ${reader.number()})`,
  [EXPORTS!]: (reader) => `(export "${reader.name()}" (func${reader.skip(1)} ${reader.number()}))`,
  [CODE!]: listBody,
};

/**
 * A module with functions and the memory that it imports, as text.
 *
 * @param bytes The module.
 * @returns Its text, without a line break at the end.
 */
export function listModule(bytes: Uint8Array): string {
  const reader = new Reader(bytes, HEADER_BYTES);
  const items: Record<number, string[]> = {};
  while (!reader.isAtEnd) {
    const section = reader.byte();
    reader.number();
    items[section] = reader.list(() => ITEMS[section]!(reader));
  }
  const [types, imports, heads, exports, bodies] = [TYPES, IMPORTS, FUNCTIONS, EXPORTS, CODE]
    .map((section) => items[section!] ?? []);
  const functions = bodies!.map((body, i) => heads![i] + body);
  const lines = [types, imports, functions, exports].flatMap((own) => own!.join("\n").split("\n"));
  return ["(module", ...lines.filter(Boolean).map((line) => `  ${line}`), ")"].join("\n");
}

function clause(name: string, types: readonly string[]): string {
  return types.length === 0 ? "" : ` (${[name, ...types].join(" ")})`;
}

/** What is in a function, an instruction per line. */
function listBody(reader: Reader): string {
  reader.number();
  const groups = reader.list(() => ({ count: reader.number(), type: reader.type() }));
  const locals = groups.flatMap(({ count, type }) => Array<string>(count).fill(type));
  const lines = [clause("local", locals)];
  for (let depth = 1; depth > 0;) {
    const { name, told } = instructionAt(reader);
    if (name === "end" || name === "else") depth--;
    lines.push(depth === 0 ? ")" : "  ".repeat(depth) + name + IMMEDIATES[told](reader));
    if (name === "else" || told === "block type") depth++;
  }
  return lines.join("\n");
}

let instructions: ReturnType<typeof listInstructions> | undefined;

function instructionAt(reader: Reader): { name: string; told: Immediate } {
  const first = reader.byte();
  const number = first < 0xfc ? first : first << 12 | reader.number();
  const found = (instructions ??= listInstructions()).get(number);
  if (found === undefined) {
    throw new RangeError(`There is no name for the instruction 0x${number.toString(16)}`);
  }
  return found;
}

const lane = (reader: Reader) => ` ${reader.byte()}`;

/** What an instruction is told, as text; the shapes of blocks and the numbers of memories are not. */
const IMMEDIATES: Record<Immediate, (reader: Reader) => string> = {
  "nothing": () => "",
  "index": (reader) => ` ${reader.number()}`,
  "block type": (reader) => reader.skip(1),
  "memory": memory,
  "lane": lane,
  "memory and lane": (reader) => memory(reader) + lane(reader),
  "bytes": (reader) => ` ${reader.bytes(16).join(" ")}`,
  "i8x16": (reader) => ` i8x16 ${reader.bytes(16).join(" ")}`,
  "i32": (reader) => ` ${reader.signed()}`,
  "f32": (reader) => float(new Float32Array(reader.bytes(4).slice().buffer)),
  "f64": (reader) => float(new Float64Array(reader.bytes(8).slice().buffer)),
  "one zero": (reader) => reader.skip(1),
  "two zeros": (reader) => reader.skip(2),
};

function memory(reader: Reader): string {
  const [align, offset] = [2 ** reader.number(), reader.number()];
  return `${offset === 0 ? "" : ` offset=${offset}`} align=${align}`;
}

function float([value]: Float32Array | Float64Array): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? " -0" : ` ${value}`;
  return Number.isNaN(value) ? " nan" : value! < 0 ? " -inf" : " inf";
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

  skip(count: number): "" {
    this.#at += count;
    return "";
  }

  /** A whole number, seven bits to a byte. */
  number(): number {
    let value = 0;
    for (let scale = 1;; scale *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
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

  types(): string[] {
    return this.list(() => this.type());
  }

  type(): string {
    const code = this.byte();
    return Object.entries(TYPE_CODES).find(([, known]) => known === code)![0];
  }
}
