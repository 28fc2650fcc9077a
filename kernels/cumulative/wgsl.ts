/**
 * Running results along the middle axis of an (outer, count, inner) array in WGSL.
 *
 * Short lines are walked by one invocation each. Longer ones are cut into blocks: a workgroup finds
 * what each of its invocations' places amount to and combines these in a tree, so that few roundings
 * follow each other. What whole blocks amount to is accumulated in the same way, and carried over.
 *
 * @module
 */
import type { AxisExtents } from "../../src/shape.ts";
import { combinationOf } from "../wgsl/combine.ts";
import {
  createKernel,
  groupsFor,
  PlanDraft,
  WGSL_TYPES,
  type WgslElement,
  type WgslKernel,
  type WgslPlan,
  WORKGROUP,
} from "../wgsl/kernel.ts";
import type { Accumulation } from "./wasm.ts";

/** Lines up to this length are walked by one invocation. */
const SHORT = 32;

/** Places of an invocation in a block. */
const PLACES = 16;

/** Places of a block. */
const BLOCK = PLACES * WORKGROUP;

/** What is accumulated: the middle axis, and how. */
export interface WgslAccumulation
  extends AxisExtents, Pick<Accumulation, "combination" | "reverse"> {
  /** The type of the elements, before and after. */
  readonly element: WgslElement;
}

/** The kernels that accumulate: one input, of recurrences two, and one output. */
export function accumulationPlan(plan: WgslAccumulation): WgslPlan {
  const inputs = plan.combination === "recurrence" ? [0, 1] : [0];
  const draft = new PlanDraft(inputs.length + 1);
  accumulate(draft, plan, inputs, inputs.length);
  return draft;
}

/** Adds kernels to a plan that accumulate what is in some buffers. */
function accumulate(
  draft: PlanDraft,
  plan: WgslAccumulation,
  inputs: readonly number[],
  output: number,
): void {
  const { outer, count, inner } = plan;
  const blocks = Math.ceil(count / BLOCK);
  if (blocks === 1) {
    return draft.add(lineKernel(plan, count <= SHORT ? "short" : "block"), inputs, [output]);
  }
  const lines = { outer: outer * inner, count: blocks, inner: 1, reverse: false };
  const [carries, ...totals] = [output, ...inputs].map(() =>
    draft.temporary(outer * inner * blocks)
  ) as [number, ...number[]];
  draft.add(lineKernel(plan, "totals"), inputs, totals);
  accumulate(draft, { ...plan, ...lines }, totals, carries);
  draft.add(lineKernel(plan, "carried"), [...inputs, carries], [output]);
}

/** The state of a line: a number, or the factor and the summand of all steps so far. */
function stateOf({ combination, element }: WgslAccumulation) {
  const type = WGSL_TYPES[element];
  const isPair = combination === "recurrence";
  const state = isPair ? "vec2f" : type;
  const { start, combine, declarations } = combination === "recurrence"
    ? {
      start: "vec2f(1f, 0f)",
      combine: () => "vec2f(l.x * r.x, r.x * l.y + r.y)",
      declarations: "",
    }
    : combinationOf(combination, element);
  return {
    ...{ type, state, start },
    inputs: (isPair ? ["a", "b"] : ["a"]).map((name) => ({ name, type })),
    parts: isPair ? [".x", ".y"] : [""],
    read: isPair ? "vec2f(a[at], b[at])" : "a[at]",
    carried: (carry: string) => isPair ? `vec2f(0f, ${carry})` : carry,
    value: isPair ? "state.y" : "state",
    declarations: `${declarations}
fn join(l: ${state}, r: ${state}) -> ${state} { return ${combine("l", "r")}; }
`,
  };
}

/**
 * Each invocation has a `short` line, or each workgroup a block of a line: it gives the running
 * results, which go on from those of the block before where they are `carried`, or the `totals` of
 * whole blocks.
 */
function lineKernel(
  plan: WgslAccumulation,
  part: "short" | "block" | "totals" | "carried",
): WgslKernel {
  const { outer, count, inner, reverse, combination } = plan;
  const [lines, blocks] = [outer * inner, Math.ceil(count / BLOCK)];
  const own = stateOf(plan);
  const totals = own.parts.map((_, i) => ({ name: `total${i}`, type: own.type }));
  const stores = own.parts.map((own, i) => `total${i}[group] = parts[${WORKGROUP - 1}u]${own};`);
  const store = `if (lane == 0u) { ${stores.join(" ")} }`;
  const walk = (store: string) =>
    `for (var place = start; place < end; place++) {
  let at = origin + ${reverse ? `(${count - 1}u - place)` : "place"} * ${inner}u;
  state = join(state, ${own.read});${store}
}`;
  const results = walk(`\n  y[at] = ${own.value};`);
  const carried = own.carried(`carries[line * ${blocks}u + block - 1u]`);
  // The second walk goes on from other blocks, and from other invocations' places.
  const again = `state = ${own.start};
${part === "carried" ? `if (block > 0u) { state = ${carried}; }` : ""}
if (lane > 0u) { state = join(state, parts[lane - 1u]); }
${results}`;
  const isShort = part === "short";
  return createKernel({
    name: `cumulative ${combination} ${part}`,
    inputs: [...own.inputs, ...part === "carried" ? [{ name: "carries", type: own.type }] : []],
    outputs: part === "totals" ? totals : [{ name: "y", type: own.type }],
    groups: isShort ? groupsFor(lines) : lines * blocks,
    declarations: `${own.declarations}var<workgroup> parts: array<${own.state}, ${WORKGROUP}>;`,
    body: `${isShort ? `if (index >= ${lines}u) { return; }` : `let block = group % ${blocks}u;`}
let line = ${isShort ? "index" : `group / ${blocks}u`};
let origin = line / ${inner}u * ${count * inner}u + line % ${inner}u;
let start = ${isShort ? "0u" : `block * ${BLOCK}u + lane * ${PLACES}u`};
let end = ${isShort ? `${count}u` : `min(start + ${PLACES}u, ${count}u)`};
var state = ${own.start};
${isShort ? results : `${walk("")}\n${SCAN}\n${part === "totals" ? store : again}`}`,
  });
}

/** What invocations have seen of a block, each along with all before it. */
const SCAN = `parts[lane] = state;
for (var reach = 1u; reach < ${WORKGROUP}u; reach *= 2u) {
  workgroupBarrier();
  let before = parts[max(lane, reach) - reach];
  workgroupBarrier();
  if (lane >= reach) { parts[lane] = join(before, parts[lane]); }
}
workgroupBarrier();`;
