/**
 * WebAssembly modules, written at run time: nothing binary is in the package, and no tool makes it.
 * And the linear memory that their code reads and writes.
 *
 * @module
 */
import { CodeBuilder, type LocalsOf, type Parameters, type WasmFunction } from "./code.ts";
import { type Code, flatten, nameBytes, sized, unsignedLeb128, vector } from "./encoding.ts";
import { opcodeOf } from "./instructions.ts";
import { localAt, TYPE_CODES, type Value, type ValueType } from "./value.ts";

/** Bytes in a page of memory. */
export const PAGE_BYTES = 65536;

/** The memory that a module reads and writes. */
export interface MemoryOptions {
  /** `"import"`: the memory `env.memory` of the host; `"export"`: its own, as `memory`. */
  from: "import" | "export";
  /** Pages that it has at least; 0 by default. */
  pages?: number;
  /** Pages that it never exceeds; needed where it is shared. */
  maximumPages?: number;
  /** Whether several threads share it; false by default. */
  shared?: boolean;
}

const HEADER: Code = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/** Puts a module together: at most one memory, and functions. */
export class ModuleBuilder {
  readonly #memory: MemoryOptions | null;
  readonly #types: Code[] = [];
  readonly #imports: Code[] = [];
  readonly #functionTypes: number[] = [];
  readonly #bodies: Code[] = [];
  readonly #exports: Code[] = [];
  readonly #once = new Map<string, unknown>();
  /** How many functions are imported: they are numbered apart from what else is. */
  #imported = 0;
  #linked: { bytes: number; functions: WasmFunction<Parameters, ValueType | null>[] } | null = null;

  constructor(memory: MemoryOptions | null = null) {
    this.#memory = memory;
    if (memory?.from === "export") this.#exports.push([nameBytes("memory"), 2, 0]);
  }

  /** What a module has once, made when it is first asked for by this name. */
  once<T>(name: string, make: () => T): T {
    if (!this.#once.has(name)) this.#once.set(name, make());
    return this.#once.get(name) as T;
  }

  /** A function of the host, `name` of the namespace `from`. Imports come before functions. */
  importFunction<const P extends Parameters, R extends ValueType | null>(
    from: string,
    name: string,
    parameters: P,
    result: R,
  ): WasmFunction<P, R> {
    if (this.#bodies.length > 0) {
      throw new TypeError(
        `Cannot import ${from}.${name} as imports must come before functions: ` +
          `current number of functions is ${this.#bodies.length}`,
      );
    }
    const type = this.#typeIndex(Object.values(parameters), result);
    this.#imports.push([nameBytes(from), nameBytes(name), 0, unsignedLeb128(type)]);
    return { index: this.#imported++, parameters, result };
  }

  /**
   * Makes this a module that is linked to a program which runs already, as
   * https://github.com/WebAssembly/tool-conventions/blob/main/DynamicLinking.md says.
   *
   * @param bytes How many bytes of the program's memory it has for itself.
   * @param functions What the program can call by numbers of its table; filled before encoding.
   * @returns Where its own bytes begin, and the number of its first function in the table.
   */
  link(
    bytes: number,
    functions: WasmFunction<Parameters, ValueType | null>[],
  ): Record<"memoryBase" | "tableBase", Value<"i32">> {
    this.#linked = { bytes, functions };
    const global = (name: string, index: number): Value<"i32"> => {
      this.#imports.push([nameBytes("env"), nameBytes(name), 3, TYPE_CODES.i32, 0]);
      return { type: "i32", code: [opcodeOf("global.get"), index] };
    };
    this.#imports.push([nameBytes("env"), nameBytes("__indirect_function_table"), 1, 0x70, 0, 0]);
    return { memoryBase: global("__memory_base", 0), tableBase: global("__table_base", 1) };
  }

  /** Adds a function; what `write` returns is what the function gives. */
  addFunction<const P extends Parameters, R extends ValueType>(
    parameters: P,
    write: (code: CodeBuilder, locals: LocalsOf<P>) => Value<R>,
  ): WasmFunction<P, R>;
  /** Adds a function that gives no value. */
  addFunction<const P extends Parameters>(
    parameters: P,
    write: (code: CodeBuilder, locals: LocalsOf<P>) => void,
  ): WasmFunction<P, null>;
  addFunction<P extends Parameters>(
    parameters: P,
    write: (code: CodeBuilder, locals: LocalsOf<P>) => Value<ValueType> | void,
  ): WasmFunction<P, ValueType | null> {
    const code = new CodeBuilder(Object.values(parameters));
    const locals = Object.entries(parameters).map(([name, type], i) => [name, localAt(type, i)]);
    const value = write(code, Object.fromEntries(locals)) ?? null;
    const result = value?.type ?? null;
    this.#functionTypes.push(this.#typeIndex(Object.values(parameters), result));
    this.#bodies.push(code.encode(value));
    return { index: this.#imported + this.#bodies.length - 1, parameters, result };
  }

  /** Gives a function a name by which the host finds it. */
  exportFunction(name: string, f: WasmFunction<Parameters, ValueType | null>): void {
    this.#exports.push([nameBytes(name), 0, unsignedLeb128(f.index)]);
  }

  /** The bytes of the module. */
  encode(): Uint8Array<ArrayBuffer> {
    const [memory, linked] = [this.#memory, this.#linked];
    const imported = memory?.from === "import"
      ? [[nameBytes("env"), nameBytes("memory"), 2, limits(memory)]]
      : [];
    const sizes = [linked?.bytes ?? 0, 2, linked?.functions.length ?? 0, 0].map(unsignedLeb128);
    const numbers = (linked?.functions ?? []).map(({ index }) => unsignedLeb128(index));
    // In the order of their numbers; the empty ones are tables, globals and a function to start with.
    const sections: (readonly Code[])[] = [
      this.#types,
      [...imported, ...this.#imports],
      this.#functionTypes.map(unsignedLeb128),
      [],
      memory?.from === "export" ? [limits(memory)] : [],
      [],
      this.#exports,
      [],
      // From the second global, the table's base, on.
      linked === null ? [] : [[0, opcodeOf("global.get"), 1, opcodeOf("end"), vector(numbers)]],
      this.#bodies,
    ];
    return new Uint8Array(flatten([
      HEADER,
      linked === null ? [] : [0, sized([nameBytes("dylink.0"), 1, sized(sizes)])],
      sections.map((items, i) => items.length === 0 ? [] : [i + 1, sized(vector(items))]),
    ]));
  }

  #typeIndex(parameters: readonly ValueType[], result: ValueType | null): number {
    const codes = (types: readonly ValueType[]) => vector(types.map((type) => [TYPE_CODES[type]]));
    const type = flatten([0x60, codes(parameters), codes(result === null ? [] : [result])]);
    const index = this.#types.findIndex((known) => String(known) === String(type));
    return index === -1 ? this.#types.push(type) - 1 : index;
  }
}

function limits({ pages = 0, maximumPages, shared = false }: MemoryOptions): Code {
  if (maximumPages === undefined) return [0, unsignedLeb128(pages)];
  return [shared ? 3 : 1, unsignedLeb128(pages), unsignedLeb128(maximumPages)];
}

/** The functions of a module that works on a memory, and may call the host's `Math`. */
export function instantiate(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
): Readonly<Record<string, (...numbers: number[]) => void>> {
  const imports = { env: { memory }, Math } as unknown as WebAssembly.Imports;
  return new WebAssembly.Instance(module, imports).exports as Record<string, () => void>;
}

/** Makes the memory hold `bytes` bytes at least; growing detaches the arrays made of its buffer. */
export function reserve(memory: WebAssembly.Memory, bytes: number): void {
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
}

/**
 * The memory through which kernels work on arrays of the host: made when first needed, and shared
 * by all of them, as only one runs at a time. It grows to what the largest call needs, which each
 * kernel bounds, and nothing in it outlives a call.
 */
export function scratchMemory(): WebAssembly.Memory {
  return scratch ??= new WebAssembly.Memory({ initial: 1 });
}

let scratch: WebAssembly.Memory | undefined;
