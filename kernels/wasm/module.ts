/**
 * WebAssembly modules, written at run time: nothing binary is in the package, and no tool makes it.
 * And the linear memory that their code reads and writes.
 *
 * @module
 */
import { CodeBuilder, type LocalsOf, type Parameters, type WasmFunction } from "./code.ts";
import { type Code, flatten, nameBytes, sized, unsignedLeb128, vector } from "./encoding.ts";
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

const SECTIONS = { types: 1, imports: 2, functions: 3, memories: 5, exports: 7, code: 10 } as const;

const HEADER: Code = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/** Puts a module together: at most one memory, and functions. */
export class ModuleBuilder {
  readonly #memory: MemoryOptions | null;
  readonly #types: Code[] = [];
  readonly #imports: Code[] = [];
  readonly #functionTypes: number[] = [];
  readonly #bodies: Code[] = [];
  readonly #exports: Code[] = [];

  constructor(memory: MemoryOptions | null = null) {
    this.#memory = memory;
    if (memory?.from === "export") this.#exports.push([nameBytes("memory"), 2, 0]);
  }

  /** A function of the host, `name` of the namespace `from`. Imports come before functions. */
  importFunction<const P extends Parameters, R extends ValueType>(
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
    return { index: this.#imports.length - 1, parameters, result };
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
    return { index: this.#imports.length + this.#bodies.length - 1, parameters, result };
  }

  /** Gives a function a name by which the host finds it. */
  exportFunction(name: string, f: WasmFunction<Parameters, ValueType | null>): void {
    this.#exports.push([nameBytes(name), 0, unsignedLeb128(f.index)]);
  }

  /** The bytes of the module. */
  encode(): Uint8Array<ArrayBuffer> {
    const memory = this.#memory;
    const imports = memory?.from === "import"
      ? [[nameBytes("env"), nameBytes("memory"), 2, limits(memory)]]
      : [];
    const memories = memory?.from === "export" ? [limits(memory)] : [];
    return new Uint8Array(flatten([
      HEADER,
      section(SECTIONS.types, this.#types),
      section(SECTIONS.imports, [...imports, ...this.#imports]),
      section(SECTIONS.functions, this.#functionTypes.map(unsignedLeb128)),
      section(SECTIONS.memories, memories),
      section(SECTIONS.exports, this.#exports),
      section(SECTIONS.code, this.#bodies),
    ]));
  }

  #typeIndex(parameters: readonly ValueType[], result: ValueType | null): number {
    const codes = (types: readonly ValueType[]) => vector(types.map((type) => [TYPE_CODES[type]]));
    const type = flatten([0x60, codes(parameters), codes(result === null ? [] : [result])]);
    const index = this.#types.findIndex((known) => String(known) === String(type));
    return index === -1 ? this.#types.push(type) - 1 : index;
  }
}

function section(id: number, items: readonly Code[]): Code {
  return items.length === 0 ? [] : [id, sized(vector(items))];
}

function limits({ pages = 0, maximumPages, shared = false }: MemoryOptions): Code {
  if (maximumPages === undefined) return [0, unsignedLeb128(pages)];
  return [shared ? 3 : 1, unsignedLeb128(pages), unsignedLeb128(maximumPages)];
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
