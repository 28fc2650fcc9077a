/**
 * The kernels of a program's loops: functions of one module.
 *
 * @module
 */
import { emitLoop } from "../../../kernels/elementwise/wasm.ts";
import { type GroupLoop, keepingLoopOf } from "../../program/loops.ts";
import { type Group, isGroup } from "../../program/passes/fuse.ts";
import type { MemoryPlan } from "../../program/plan.ts";
import type { Kernels } from "./kernels.ts";

/** Groups as loops, those in the bodies of a program's loops among them. */
export function loopsOf({ graph, units, bodies }: MemoryPlan): Map<Group, GroupLoop> {
  const own = units.filter(isGroup).map((group) => [group, keepingLoopOf(group, graph)] as const);
  const inside = [...bodies.values()].flat().flatMap((body) => [...loopsOf(body)]);
  return new Map([...own, ...inside]);
}

/** Adds loops as functions of one module, equal ones once; returns their numbers. */
export function addLoops(
  kernels: Kernels,
  loops: ReadonlyMap<Group, GroupLoop>,
): Map<Group, number> {
  if (loops.size === 0) return new Map();
  const builder = kernels.builder();
  const known = new Map<string, number>();
  const places = [...loops].map(([group, loop]) => {
    const key = outlineOf(loop);
    const place = known.get(key) ?? known.size;
    if (place === known.size) {
      builder.exportFunction(`loop${place}`, emitLoop(builder, loop.spec));
      known.set(key, place);
    }
    return [group, place] as const;
  });
  const names = Array.from({ length: known.size }, (_, i) => `loop${i}`);
  try {
    const first = kernels.add(builder, names);
    return new Map(places.map(([group, place]) => [group, first + place]));
  } catch (cause) {
    if (!(cause instanceof WebAssembly.CompileError)) throw cause;
    const specs = [...loops.values()].map(({ spec }) => spec);
    const tensors = specs.map(({ operands, stores }) => operands.length + stores.length);
    const statements = specs.map(({ body }) => body.length);
    throw new RangeError(
      `Cannot compile the program as one of its loops is larger than WebAssembly allows: loops ` +
        `have up to ${Math.max(...tensors)} tensors and ${Math.max(...statements)} statements; ` +
        `compile it in parts, or hold parameters in fewer, larger tensors`,
      { cause },
    );
  }
}

/** What a loop does, whatever its values are called: equal layers share their kernels. */
function outlineOf({ spec }: GroupLoop): string {
  const exact = (_key: string, value: unknown) =>
    typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0))
      ? { number: Object.is(value, -0) ? "-0" : String(value) }
      : value;
  const names = new Map<string, string>();
  return JSON.stringify(spec, exact).replaceAll(/"v\d+\w*"/g, (name) => {
    const own = names.get(name) ?? `"${names.size}"`;
    names.set(name, own);
    return own;
  });
}
