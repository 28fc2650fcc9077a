/**
 * The kernels of a program's loops: those of the units of one graph are one module.
 *
 * @module
 */
import { emitColumnLoop } from "../../../kernels/elementwise/columns.ts";
import { importMath } from "../../../kernels/elementwise/typed.ts";
import { emitLoop } from "../../../kernels/elementwise/wasm.ts";
import { ModuleBuilder } from "../../../kernels/wasm/module.ts";
import type { Graph } from "../../program/graph.ts";
import { type GroupLoop, keepingLoopOf } from "../../program/loops.ts";
import { isGroup, type Unit } from "../../program/passes/fuse.ts";
import type { Kernels } from "./kernels.ts";

/** Loops and the numbers of their kernels, in the order of their units. */
interface KnownLoops {
  loops: readonly (GroupLoop | undefined)[];
  numbers: readonly (number | undefined)[];
}

/** Makes loops ready, once for all frames of the same units. */
export class LoopKernels {
  readonly #kernels: Kernels;
  readonly #known = new Map<readonly Unit[], KnownLoops>();

  constructor(kernels: Kernels) {
    this.#kernels = kernels;
  }

  /** The loops among units. */
  of(units: readonly Unit[], graph: Graph): KnownLoops {
    let known = this.#known.get(units);
    if (known === undefined) {
      const loops = units.map((unit) => isGroup(unit) ? keepingLoopOf(unit, graph) : undefined);
      known = { loops, numbers: addLoops(this.#kernels, loops) };
      this.#known.set(units, known);
    }
    return known;
  }
}

/** Adds the loops as functions of one module, equal ones once; returns their numbers. */
function addLoops(
  kernels: Kernels,
  loops: readonly (GroupLoop | undefined)[],
): (number | undefined)[] {
  const builder = new ModuleBuilder({ from: "import" });
  const math = importMath(builder);
  const names: string[] = [];
  const known = new Map<string, number>();
  const places = loops.map((loop) => {
    if (loop === undefined) return undefined;
    const key = outlineOf(loop);
    const found = known.get(key);
    if (found !== undefined) return found;
    const name = `loop${names.length}`;
    const emit = loop.space.over === "column" ? emitColumnLoop : emitLoop;
    builder.exportFunction(name, emit(builder, math, loop.spec));
    known.set(key, names.length);
    return names.push(name) - 1;
  });
  const first = addModule(kernels, builder, names, loops);
  return places.map((place) => place === undefined ? undefined : first + place);
}

/** What a loop does, whatever its values are called: equal layers share their kernels. */
function outlineOf({ spec, space: { over } }: GroupLoop): string {
  const exact = (_key: string, value: unknown) =>
    typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0))
      ? { number: Object.is(value, -0) ? "-0" : String(value) }
      : value;
  const names = new Map<string, string>();
  const text = JSON.stringify(spec, exact).replaceAll(/"v\d+(?:as\d+)?"/g, (name) => {
    const own = names.get(name) ?? `"${names.size}"`;
    names.set(name, own);
    return own;
  });
  return `${over} ${text}`;
}

/** Adds a module of loops, of which each is a function with a parameter for each tensor or more. */
function addModule(
  kernels: Kernels,
  builder: ModuleBuilder,
  names: readonly string[],
  loops: readonly (GroupLoop | undefined)[],
): number {
  try {
    return kernels.add(builder.encode(), names);
  } catch (cause) {
    if (!(cause instanceof WebAssembly.CompileError)) throw cause;
    const sizes = loops.flatMap((loop) => loop === undefined ? [] : [loop.spec]).map((spec) => ({
      tensors: spec.operands.length + spec.stores.length,
      statements: spec.body.length,
    }));
    const most = (key: "tensors" | "statements") => Math.max(...sizes.map((size) => size[key]));
    throw new RangeError(
      `Cannot compile the program as one of its loops is larger than WebAssembly allows: loops ` +
        `have up to ${most("tensors")} tensors and ${most("statements")} statements; compile it ` +
        `in parts, or hold parameters in fewer, larger tensors`,
      { cause },
    );
  }
}
