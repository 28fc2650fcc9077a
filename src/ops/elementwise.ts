/**
 * Makers of elementwise operations: a name, a scalar expression, a gradient rule.
 *
 * @module
 */
import { EagerKernel } from "../../kernels/elementwise/eager.ts";
import { mergeAxes } from "../../kernels/layout/axes.ts";
import { allocate, type DType, isFloating, promoteTypes, type TypedArray } from "../dtype.ts";
import { type InputRule, type MapOp, perInput } from "../op.ts";
import { broadcastShapes, broadcastStrides, sameShape, type Shape, sizeOf } from "../shape.ts";
import { asOperand, promote, Tensor, type TensorLike } from "../tensor.ts";
import { apply } from "../trace.ts";
import { cast } from "./layout.ts";

/** The parameters of an elementwise operation: `p` and `q` in its expression. */
export type Scalars = readonly number[];

/** The record of an elementwise operation. */
export type Elementwise = MapOp<Scalars>;

/** An elementwise operation on up to three operands that broadcast. */
export function elementwise(
  name: string,
  expression: string,
  rules: InputRule<Scalars>[] | null,
  result: (inputs: readonly Tensor[]) => DType = (inputs) => inputs[0]!.dtype,
): Elementwise {
  const kernel = new EagerKernel(name, expression);
  return {
    kind: "map",
    name,
    expression,
    infer: (inputs) => ({ shape: meet(name, inputs), dtype: result(inputs) }),
    forward(inputs, params, { shape, dtype }) {
      const out = allocate(dtype, sizeOf(shape));
      const data = new Array<TypedArray>(inputs.length);
      let flat = true;
      for (let i = 0; i < inputs.length; i++) {
        const x = inputs[i]!;
        data[i] = x.data;
        flat &&= x.size === out.length || x.size === 1;
      }
      if (flat) kernel.runFlat(out, data, params);
      else if (out.length > 0) {
        const axes = mergeAxes(shape, inputs.map((x) => broadcastStrides(x.shape, shape)));
        kernel.runStrided(out, axes, data, params);
      }
      return out;
    },
    vjp: rules === null ? null : perInput(...rules),
  };
}

function meet(name: string, inputs: readonly Tensor[]): Shape {
  const first = inputs[0]!.shape;
  let same = true;
  for (let i = 1; i < inputs.length; i++) same &&= sameShape(inputs[i]!.shape, first);
  return same ? first : broadcastShapes(name, ...inputs.map((x) => x.shape));
}

/** An elementwise operation on one operand. */
export function unary(
  name: string,
  expression: string,
  rule: InputRule<Scalars> | null,
): Elementwise {
  return elementwise(name, expression, rule && [rule]);
}

const NO_SCALARS: Scalars = [];

/** Applies an operation to one operand of any number type. */
export function applyUnary(op: Elementwise, x: TensorLike, params: Scalars = NO_SCALARS): Tensor {
  return apply(op, [numeric(asOperand(op.name, x))], params);
}

/** Applies an operation to one operand; integers become `float32`. */
export function applyFloating(
  op: Elementwise,
  x: TensorLike,
  params: Scalars = NO_SCALARS,
): Tensor {
  return apply(op, [floating(asOperand(op.name, x))], params);
}

/** Applies an operation to two operands that meet in the stronger of their types. */
export function applyBinary(op: Elementwise, a: TensorLike, b: TensorLike): Tensor {
  const operands = promotePair(op.name, a, b);
  return apply(op, operands[0]!.dtype === "bool" ? operands.map(numeric) : operands, NO_SCALARS);
}

/** Applies an operation to two operands that meet in a floating type. */
export function applyFloatingBinary(op: Elementwise, a: TensorLike, b: TensorLike): Tensor {
  const operands = promotePair(op.name, a, b);
  return apply(op, isFloating(operands[0]!.dtype) ? operands : operands.map(floating), NO_SCALARS);
}

/** Two operands, `a` and `b`, in the stronger of their types. */
export function promotePair(caller: string, a: TensorLike, b: TensorLike): Tensor[] {
  if (a instanceof Tensor && b instanceof Tensor && a.dtype === b.dtype) return [a, b];
  return promoteAll(caller, { a, b });
}

/** Operands by their names, in order, in the strongest of their types. */
export function promoteAll(
  caller: string,
  values: Readonly<Record<string, TensorLike>>,
): Tensor[] {
  const operands = promote(Object.values(values), caller, Object.keys(values));
  const first = operands[0]!.dtype;
  if (operands.every((x) => x.dtype === first)) return operands;
  const dtype = operands.map((x) => x.dtype).reduce(promoteTypes);
  return operands.map((x) => cast(x, dtype));
}

/** Booleans as integers: what arithmetic does with them. */
export function numeric(x: Tensor): Tensor {
  return x.dtype === "bool" ? cast(x, "int32") : x;
}

/** What every number of a type is at least. */
export function lowestOf(dtype: DType): number {
  return isFloating(dtype) ? -Infinity : -(2 ** 31);
}

/** Integers as `float32`: what exponentials, roots and means do with them. */
export function floating(x: Tensor): Tensor {
  return isFloating(x.dtype) ? x : cast(x, "float32");
}
