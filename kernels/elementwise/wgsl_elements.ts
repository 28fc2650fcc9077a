/**
 * WGSL loops without reductions.
 *
 * @module
 */
import { sizeOf } from "../../src/shape.ts";
import { groupsFor, WORKGROUP } from "../wgsl/kernel.ts";
import { type LoopSpec, planPasses } from "./passes.ts";
import { contiguousWalk, isContiguous, type LoopSpace, positionOf } from "./wgsl_space.ts";
import { type BoundKernel, LoopWriter } from "./wgsl_writer.ts";

/** A kernel with an invocation for each element. */
export function emitElements(spec: LoopSpec, space: LoopSpace): BoundKernel {
  const writer = new LoopWriter(spec);
  const { operands, output = contiguousWalk(space) } = space;
  const columns = sizeOf(space.columns);
  const count = sizeOf(space.rows) * columns;
  const position = (walk: LoopSpace["operands"][number]) =>
    isContiguous(walk, space) ? "index" : positionOf(walk, space);
  const [pass] = planPasses(spec);
  const { before, loads, moving, stores } = pass!;
  const body = [
    ...[...writer.rowLoads(), ...loads].map((load) =>
      writer.load(load, position(operands[load.index]!))
    ),
    ...[...before, ...moving].map((assignment) => writer.assign(assignment)),
    ...stores.map((store) => writer.store(store.output, position(output))),
    ...spec.stores.flatMap(({ moves }, i) =>
      moves ? [] : `if (column == 0u) { ${writer.store(i, "row")} }`
    ),
  ].join("\n");
  const lines = [
    ...(count % WORKGROUP === 0 ? [] : [`if (index >= ${count}u) { return; }`]),
    ...(/\brow\b/.test(body) ? [`let row = index / ${columns}u;`] : []),
    ...(/\bcolumn\b/.test(body) ? [`let column = index % ${columns}u;`] : []),
    body,
  ];
  return writer.finish({ groups: groupsFor(count), body: lines.join("\n") });
}
