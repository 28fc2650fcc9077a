/**
 * The LZF compression of HDF5 datasets, as a WebAssembly module that the HDF5 library loads. The one
 * that is published for that library fails where text was compressed, as it trusts the file's word
 * for how large a chunk becomes.
 *
 * Source: the description of the format in liblzf, http://oldhome.schmorp.de/marc/liblzf.html.
 *
 * @module
 */
import {
  call,
  type CodeBuilder,
  type Parameters,
  type WasmFunction,
} from "../../kernels/wasm/code.ts";
import { ModuleBuilder } from "../../kernels/wasm/module.ts";
import { i32, type Local, type Value, type ValueType } from "../../kernels/wasm/value.ts";

/** The filter's registered number. */
const LZF = 32000;

/** The fields of `H5Z_class2_t`: eight words. */
const DESCRIPTION = { version: 0, id: 4, decoder: 12, filter: 28, bytes: 32 };

/** The flag of `H5Z_func_t` that asks for the uncompressed bytes. */
const REVERSE = 0x100;

/** What is done with a piece: bytes as they stand from `from` on, or from so far back in the output. */
interface Pieces {
  literal(from: Value<"i32">, length: Local<"i32">): void;
  repeated(distance: Local<"i32">, length: Local<"i32">): void;
}

/** Goes through the pieces from `at` to `end`. */
function walk(code: CodeBuilder, start: Local<"i32">, end: Local<"i32">, pieces: Pieces): void {
  const [at, control, length, distance] = [0, 0, 0, 0].map(() => code.local("i32"));
  const next = (target: Local<"i32">, plus: Value<"i32">) => {
    code.set(target, i32.add(i32.load8U(at!), plus));
    code.increase(at!, 1);
  };
  code.set(at!, start);
  code.while(i32.ltU(at!, end), () => {
    next(control!, i32.const(0));
    code.if(i32.ltU(control!, 32), () => {
      code.set(length!, i32.add(control!, 1));
      pieces.literal(at!, length!);
      code.increase(at!, length!);
    }, () => {
      code.set(length!, i32.shrU(control!, 5));
      code.if(i32.eq(length!, 7), () => next(length!, length!));
      code.increase(length!, 2);
      next(distance!, i32.add(i32.shl(i32.and(control!, 31), 8), 1));
      pieces.repeated(distance!, length!);
    });
  });
}

/** How many bytes the pieces make; 0 where they reach beyond their ends. */
function sizeOf(code: CodeBuilder, start: Local<"i32">, end: Local<"i32">): Local<"i32"> {
  const [size, broken] = [code.local("i32"), code.local("i32")];
  const check = (isBroken: Value<"i32">) => code.set(broken, i32.or(broken, isBroken));
  walk(code, start, end, {
    literal(from, length) {
      check(i32.ltU(end, i32.add(from, length)));
      code.increase(size, length);
    },
    repeated(distance, length) {
      check(i32.ltU(size, distance));
      code.increase(size, length);
    },
  });
  code.if(broken, () => code.set(size, 0));
  return size;
}

function expand(
  code: CodeBuilder,
  start: Local<"i32">,
  end: Local<"i32">,
  out: Local<"i32">,
): void {
  const to = code.let<"i32">(out);
  walk(code, start, end, {
    literal(from, length) {
      code.copy(to, from, length);
      code.increase(to, length);
    },
    // Byte by byte, as what is repeated may reach into itself.
    repeated(distance, length) {
      code.for(length, 1, () => {
        code.store("i8", to, i32.load8U(i32.sub(to, distance)));
        code.increase(to, 1);
      });
    },
  });
}

/** What the library loads as a plugin. */
export function lzfFilter(): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder({ from: "import" });
  const table: WasmFunction<Parameters, ValueType | null>[] = [];
  const { memoryBase, tableBase } = module.link(DESCRIPTION.bytes, table);
  const malloc = module.importFunction("env", "malloc", { bytes: "i32" }, "i32");
  const free = module.importFunction("env", "free", { pointer: "i32" }, null);
  table.push(module.addFunction({
    flags: "i32",
    count: "i32",
    values: "i32",
    bytes: "i32",
    capacity: "i32",
    buffer: "i32",
  }, (code, { flags, bytes, capacity, buffer }) => {
    const given = code.local("i32");
    code.if(i32.and(flags, REVERSE), () => code.set(given, bytes));
    const start = code.let(i32.load(buffer));
    const end = code.let(i32.add(start, given));
    const size = sizeOf(code, start, end);
    const out = code.local("i32");
    code.if(size, () => code.set(out, call(malloc, { bytes: size })));
    code.if(out, () => {
      expand(code, start, end, out);
      code.call(free, { pointer: start });
      code.store("i32", buffer, out);
      code.store("i32", capacity, size);
    }, () => code.set(size, 0));
    return size;
  }));
  module.exportFunction("H5PLget_plugin_type", module.addFunction({}, () => i32.const(0)));
  const describe = module.addFunction({}, (code) => {
    code.store("i32", memoryBase, 1, DESCRIPTION.version);
    code.store("i32", memoryBase, LZF, DESCRIPTION.id);
    code.store("i32", memoryBase, 1, DESCRIPTION.decoder);
    code.store("i32", memoryBase, tableBase, DESCRIPTION.filter);
    return memoryBase;
  });
  module.exportFunction("H5PLget_plugin_info", describe);
  return module.encode();
}
