/**
 * Prints cross entropy as the compiler sees it, for `docs/architecture.md`: its records, its graph,
 * its loop, and both kernels.
 *
 * @module
 */
import initWabt from "wabt";
import { toJavaScript } from "../kernels/expressions.ts";
import { type LoopSpec, planPasses } from "../../kernels/elementwise/passes.ts";
import { emitLoop } from "../../kernels/elementwise/wasm.ts";
import { planLoop } from "../../kernels/elementwise/wgsl.ts";
import { ModuleBuilder } from "../../kernels/wasm/module.ts";
import { crossEntropyLoss } from "../../src/losses/mod.ts";
import { spaceOf } from "../../src/backends/webgpu/lower_loops.ts";
import type { Graph } from "../../src/program/graph.ts";
import { keepingLoopOf } from "../../src/program/loops.ts";
import { optimize } from "../../src/program/optimize.ts";
import { fuseSteps, isGroup } from "../../src/program/passes/fuse.ts";
import { record } from "../../src/program/record.ts";
import { formatShape } from "../../src/shape.ts";

const ROOT = new URL("../../", import.meta.url);

/** The page that the prints are part of. */
export const PAGE: URL = new URL("docs/architecture.md", ROOT);

const LOGITS = { shape: [4096, 100], dtype: "float32" } as const;
const LABELS = { shape: [4096], dtype: "int32" } as const;

/** Source text from a line that begins so to the next line that ends the declaration. */
function excerpt(path: string, begins: string): string {
  const text = Deno.readTextFileSync(new URL(path, ROOT));
  const start = text.indexOf(begins);
  if (start < 0) throw new RangeError(`Cannot find "${begins}" in ${path}`);
  const [own] = text.slice(start).match(/^(?:.*;$|[^]*?^(?:\}|\);|\};)$)/m)!;
  return own;
}

/** A graph, a step per line. */
function printGraph({ values, inputs, constants, steps, outputs }: Graph): string {
  const typed = (id: number) => `%${id} ${values[id]!.dtype}${formatShape(values[id]!.shape)}`;
  const params = (value: unknown) => {
    const text = JSON.stringify(value);
    return text === "null" || text === "[]" ? "" : ` ${text}`;
  };
  return [
    ...inputs.map((id) => `${typed(id)} is an argument`),
    ...[...constants].map(([id, { size, data }]) =>
      `${typed(id)} is ${size === 1 ? data[0] : `${data[0]}, ${data[1]}, … ${data.at(-1)}`}`
    ),
    ...steps.map(({ op, inputs, output, params: given }) =>
      `${typed(output)} = ${op.kind} ${op.name}(${inputs.map((id) => `%${id}`).join(", ")})${
        params(given)
      }`
    ),
    `returns ${outputs.map((id) => `%${id}`).join(", ")}`,
  ].join("\n");
}

/** What a loop does, and in which pass over a row. */
function printLoop(spec: LoopSpec, rows: number): string {
  const value = ({ name, dtype, moves }: { name: string; dtype: string; moves: boolean }) =>
    `${name} ${dtype}${moves ? "" : ", one per row"}`;
  const passes = planPasses(spec).map(({ before, loads, moving, reductions, stores }, i) =>
    [
      `pass ${i + 1}`,
      ...before.map(({ name, expression }) => `  ${name} = ${toJavaScript(expression)}`),
      ...loads.length + moving.length === 0 ? [] : [`  for each column`],
      ...loads.map(({ name, from }) => `    ${name} from ${from === "operand" ? "memory" : from}`),
      ...moving.map(({ name, expression }) => `    ${name} = ${toJavaScript(expression)}`),
      ...stores.map(({ name }) => `    store ${name}`),
      ...reductions.map(({ name, reduce, of }) => `  ${name} = ${reduce} of ${of}`),
    ].join("\n")
  );
  return [
    `loop over ${rows} rows of ${spec.columns} columns, in ${spec.float}`,
    `reads ${spec.operands.map(value).join("; ")}`,
    `writes ${spec.stores.map(value).join("; ")}`,
    ...passes,
  ].join("\n");
}

/** The first innermost loop of a module, as text. */
async function printWasm(spec: LoopSpec): Promise<string> {
  const module = new ModuleBuilder({ from: "import" });
  module.exportFunction("run", emitLoop(module, spec, false));
  const wabt = await initWabt();
  const parsed = wabt.readWasm(module.encode(), { simd: true });
  const lines = parsed.toText({ foldExprs: true, inlineExport: true }).split("\n");
  const depth = (line: string) => line.search(/\S/);
  const first = lines.findIndex((line) => /\(loop .*label = @4/.test(line));
  const last = lines.findIndex((line, i) => i > first && depth(line) <= depth(lines[first]!));
  const own = lines.slice(first, last < 0 ? undefined : last);
  return own.map((line) => line.slice(depth(lines[first]!))).join("\n");
}

/** All prints by the names of their places on the page. */
export async function prints(): Promise<Map<string, string>> {
  const recorded = record([LOGITS, LABELS], ([x, y]) => [crossEntropyLoss(x!, y!)]);
  const graph = optimize(recorded);
  const groups = fuseSteps(graph, { passes: true }).filter(isGroup);
  const loops = groups.map((group) => keepingLoopOf(group, graph));
  const rows = loops.find(({ space }) => space.columns === LOGITS.shape[1])!;
  const [part] = planLoop(rows.spec, spaceOf(rows), { isSoftware: false }).kernels;
  const code = part!.kernel.code;
  return new Map([
    ["loss", excerpt("src/losses/cross_entropy.ts", "function hardLosses(")],
    ["map", excerpt("src/ops/exponential.ts", "export const expOp")],
    ["view", excerpt("src/ops/layout.ts", "export const broadcastToOp")],
    ["recorded", printGraph(recorded)],
    ["optimized", printGraph(graph)],
    ["loop", printLoop(rows.spec, rows.space.rows)],
    ["wgsl", code.slice(code.indexOf("@compute")).trim()],
    ["wasm", await printWasm(rows.spec)],
  ]);
}

/** The page with its prints as they are now. */
export async function printPage(page: string): Promise<string> {
  const found = await prints();
  return page.replaceAll(
    /(<!-- print (\w+) -->\n+```[\w ]*\n)[^]*?(^```$)/gm,
    (_, open: string, name: string, close: string) => `${open}${found.get(name)}\n${close}`,
  );
}

if (import.meta.main) {
  Deno.writeTextFileSync(PAGE, await printPage(Deno.readTextFileSync(PAGE)));
}
