/**
 * Samplers in WebAssembly: several numbers side by side, to the bits of `reference.ts`.
 *
 * @module
 */
import { BYTES } from "../../src/dtype.ts";
import {
  lanesOf,
  pack,
  readFirst,
  readGroups,
  unpack,
  writeGroups,
} from "../elementwise/elements.ts";
import { LaneCode, type Lanes, lift } from "../elementwise/lanes.ts";
import { convert } from "../elementwise/typed.ts";
import { integerParameter } from "../functions/algebra.ts";
import { printWasm } from "../functions/wasm.ts";
import { integers, type Parameters, type WasmFunction } from "../wasm/code.ts";
import type { ModuleBuilder } from "../wasm/module.ts";
import { i32x4, i8x16 } from "../wasm/simd.ts";
import { i32, type Local } from "../wasm/value.ts";
import { bitsOf, numberOf, precisionOf, type Sampling, SCHEDULE } from "./samplers.ts";
import { keySchedule } from "./threefry.ts";

/** The bits of attempt 0, which are drawn four to a register. */
const FIRST = [integerParameter("x"), integerParameter("y")] as const;

/** Registers side by side. */
const REGISTERS = { float32: 4, float64: 2 } as const;

/** The most bytes that these many numbers take. */
const GROUP_BYTES = 64;

/** Bytes that a sampler may write in between. */
export const SCRATCH_BYTES: number = 2 * GROUP_BYTES;

/**
 * Adds a function that fills memory with numbers: where things lie, the position of the first number,
 * and how many there are.
 */
export function emitSampler(
  module: ModuleBuilder,
  sampling: Sampling,
): WasmFunction<Parameters, null> {
  const precision = precisionOf(sampling);
  const graph = numberOf(sampling, precision, FIRST);
  const parameters = integers("out", "key", "parameter", "scratch", "first", "count");
  return module.addFunction(parameters, (builder, locals) => {
    const { out, key, parameter, scratch, first, count } = locals;
    const code = new LaneCode(builder, precision, false);
    const registers = REGISTERS[precision];
    const group = registers * lanesOf(code);
    const schedule = readSchedule(code, key);
    const positions = positionsOf(code, group);
    const common = sampling.moves ? undefined : readParameter(code, sampling, parameter);
    const spare = builder.let(i32.add(scratch, GROUP_BYTES));
    const outBytes = BYTES[sampling.dtype];
    const ownBytes = sampling.moves ? BYTES[sampling.parameter!] : 0;
    builder.while(i32.gtS(count, 0), () => {
      const [to, from] = [builder.let(out), builder.let(parameter)];
      // The last few numbers are made where there is room for more.
      const isPart = builder.let(i32.ltS(count, group));
      builder.if(isPart, () => {
        builder.set(to, scratch);
        builder.set(from, spare);
        if (sampling.moves) builder.copy(spare, parameter, i32.mul(count, ownBytes));
      });
      const element = code.let(lift(i32x4.add)(positions, [i32x4.splat(first)]));
      const [x, y] = printWasm(code, bitsOf(0), { ...schedule, element });
      const [value] = printWasm(code, [graph], {
        ...{ ...schedule, element: apart(code, element), x: apart(code, x!), y: apart(code, y!) },
        ...common ?? readParameter(code, sampling, from),
      });
      const packed = graph.kind === "integer"
        ? value!
        : pack(code, sampling.dtype, { kind: graph.kind, lanes: value! });
      writeGroups(code, { dtype: sampling.dtype, addresses: [to], packed }, registers);
      builder.if(isPart, () => builder.copy(out, scratch, i32.mul(count, outBytes)));
      builder.increase(out, group * outBytes);
      builder.increase(parameter, group * ownBytes);
      builder.increase(first, group);
      builder.increase(count, -group);
    });
  });
}

/** The words that are added between the rounds, the same for all numbers. */
function readSchedule(code: LaneCode, key: Local<"i32">): Record<string, Lanes> {
  const words = [0, 4].map((offset) => code.let([i32x4.splat(i32.load(key, offset))]));
  const roots = keySchedule([integerParameter("k0"), integerParameter("k1")]);
  const lanes = printWasm(code, roots, { k0: words[0]!, k1: words[1]! });
  return Object.fromEntries(SCHEDULE.map((name, i) => [name, lanes[i]!]));
}

/** The positions of a group's numbers, four to a register, from its first on. */
function positionsOf(code: LaneCode, count: number): Lanes {
  const positions = (first: number) =>
    [1, 2, 3].reduce(
      (register, lane) => i32x4.replaceLane(register, lane, first + lane),
      i32x4.splat(first),
    );
  return code.let(Array.from({ length: count / 4 }, (_, i) => positions(4 * i)));
}

/** Integers of four to a register as many to a register as there are numbers. */
function apart(code: LaneCode, integers: Lanes): Lanes {
  if (code.float === "float32") return integers;
  const upper = Array.from({ length: 16 }, (_, i) => 8 + i % 8);
  return code.let(integers.flatMap((x) => [x, i8x16.shuffle(x, x, upper)]));
}

/** The parameters of a group's numbers, or the one of all. */
function readParameter(
  code: LaneCode,
  { parameter: dtype, moves }: Sampling,
  at: Local<"i32">,
): Record<string, Lanes> {
  if (dtype === undefined) return {};
  const place = { dtype, addresses: [at] };
  const integer = code.let(
    moves ? readGroups(code, place, REGISTERS[code.float]) : readFirst(place),
  );
  return { integer, parameter: code.let(convert("float", code, unpack(code, dtype, integer))) };
}
