/**
 * Elementwise functions of large tensors in one loop: an optimizer's update, without the tensors in
 * between.
 *
 * @module
 */
import { ChunkedLoop } from "../../kernels/elementwise/eager.ts";
import {
  type Expression,
  parseExpression,
  substitute,
} from "../../kernels/elementwise/expression.ts";
import type { LoopOperand } from "../../kernels/elementwise/passes.ts";
import { OPERANDS } from "../../kernels/elementwise/reference.ts";
import { hasSimd } from "../../kernels/wasm/features.ts";
import { allocate, type DType, type FloatArray } from "../dtype.ts";
import { sameShape } from "../shape.ts";
import { fromData, Tensor } from "../tensor.ts";
import { apply } from "../trace.ts";
import { type Body, recordBody } from "./body.ts";

type Fusable = (tensors: readonly Tensor[]) => Tensor[];

/** Tensors of fewer values are not worth being copied to WebAssembly. */
const LARGE = 4096;

/** Stands for the extent of large tensors while a function is recorded. */
const SOME = 2;

/**
 * The function itself, which does large tensors in one loop where it can: where tensors of one shape
 * and floating type, the first one's, and numbers of rank 0 are all that it is given, their values are
 * at hand, and it is made of elementwise operations of one rounding each, to the same bits. It must
 * compute the same whatever its tensors hold and however large they are: it is recorded once for each
 * type and for each choice of which of them are numbers.
 */
export function fuseMaps(name: string, f: Fusable): Fusable {
  const known = new Map<string, FusedMaps | undefined>();
  return (tensors) => {
    const [{ shape, dtype, size }] = tensors as [Tensor];
    const isLarge = tensors.map((x) => x.rank > 0);
    const isPlain = size >= LARGE && hasSimd() && (dtype === "float32" || dtype === "float64") &&
      tensors.every((x, i) =>
        x.dtype === dtype && ArrayBuffer.isView(x.source) &&
        (!isLarge[i] || sameShape(x.shape, shape))
      );
    if (!isPlain) return f(tensors);
    const key = `${dtype} ${isLarge}`;
    if (!known.has(key)) known.set(key, fuse(name, f, dtype, isLarge));
    return known.get(key)?.run(tensors) ?? f(tensors);
  };
}

/** The loop of a function; `undefined` where it does something else. */
function fuse(
  name: string,
  f: Fusable,
  dtype: "float32" | "float64",
  isLarge: readonly boolean[],
): FusedMaps | undefined {
  const specs = isLarge.map((large) => ({ shape: large ? [SOME] : [], dtype: dtype as DType }));
  const { body, captured } = recordBody(name, specs, f);
  return captured.length === 0 && isFusable(body, dtype) ? new FusedMaps(body, dtype) : undefined;
}

/** Whether a body is made of elementwise operations without parameters, and all that it gives is. */
function isFusable({ steps, values, outputs }: Body, dtype: DType): boolean {
  const made = new Set<Ref>(steps.map(({ output }) => output));
  return outputs.every((ref) => made.has(ref) && values[ref as number]!.shape.length > 0) &&
    steps.every(({ op, inputs, params }) =>
      "kind" in op && op.kind === "map" && Array.isArray(params) && params.length === 0 &&
      inputs.every((ref) => !(ref instanceof Tensor) || (ref.rank === 0 && ref.dtype === dtype))
    );
}

/** What is known by the number of a value, or is a tensor itself. */
type Ref = Body["outputs"][number];

/** A body of elementwise operations: those of numbers are done as they are, the others in a loop. */
class FusedMaps {
  readonly #body: Body;
  readonly #dtype: "float32" | "float64";
  readonly #loop: ChunkedLoop;
  /** What the loop reads. */
  readonly #reads: readonly Ref[];

  constructor(body: Body, dtype: "float32" | "float64") {
    this.#body = body;
    this.#dtype = dtype;
    const steps = body.steps.filter(({ output }) => this.#isLarge(output));
    const inside = new Set<Ref>(steps.map(({ output }) => output));
    this.#reads = [...new Set(steps.flatMap(({ inputs }) => inputs))].filter((x) => !inside.has(x));
    const nameOf = (ref: Ref) => inside.has(ref) ? `v${ref}` : `r${this.#reads.indexOf(ref)}`;
    this.#loop = new ChunkedLoop({
      float: dtype,
      operands: this.#reads.map((ref): LoopOperand => ({
        name: nameOf(ref),
        dtype,
        moves: this.#isLarge(ref),
      })),
      body: steps.map(({ op, inputs, output }) => {
        const names = inputs.map((ref, i): [string, Expression] => [
          OPERANDS[i]!,
          { kind: "name", name: nameOf(ref) },
        ]);
        const text = "kind" in op && op.kind === "map" ? op.expression : "";
        return {
          name: nameOf(output),
          expression: substitute(parseExpression(text), Object.fromEntries(names)),
          dtype: body.values[output]!.dtype,
        };
      }),
      stores: body.outputs.map((ref) => ({ name: nameOf(ref), dtype, moves: true })),
    });
  }

  run(tensors: readonly Tensor[]): Tensor[] {
    const values = new Map<Ref, Tensor>(this.#body.inputs.map((id, i) => [id, tensors[i]!]));
    const find = (ref: Ref) => typeof ref === "number" ? values.get(ref)! : ref;
    for (const { op, inputs, params, output } of this.#body.steps) {
      if (!this.#isLarge(output)) values.set(output, apply(op, inputs.map(find), params));
    }
    const { shape, size } = tensors[0]!;
    const out = this.#body.outputs.map(() => allocate(this.#dtype, size) as FloatArray);
    this.#loop.run(out, this.#reads.map((ref) => find(ref).data as FloatArray));
    return out.map((data) => fromData(data, shape, this.#dtype));
  }

  #isLarge(ref: Ref): boolean {
    return (ref instanceof Tensor ? ref : this.#body.values[ref]!).shape.length > 0;
  }
}
