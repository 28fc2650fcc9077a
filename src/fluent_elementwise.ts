// deno-lint-ignore-file no-unused-vars -- Methods pass on their arguments, too many included.
/**
 * The methods of tensors that work element by element, and how methods reach their functions.
 *
 * Operations depend on tensors and not the other way round, so the methods reach them through a
 * table that `ops/mod.ts` fills.
 *
 * @module
 */
import type * as Functions from "./ops/mod.ts";
import type {
  EluOptions,
  GeluOptions,
  HardtanhOptions,
  LeakyReluOptions,
  NanToNumOptions,
} from "./ops/mod.ts";
import type { Tensor, TensorLike } from "./tensor.ts";

/** What methods call: functions that users have too, and what is a method only. */
export type MethodTable = typeof Functions & {
  at: (x: Tensor, ...positions: number[]) => Tensor;
};

/** The functions, once they are there. */
export let ops: MethodTable;

/** Gives the methods their functions. Internal. */
export function bindFluent(functions: MethodTable): void {
  ops = functions;
}

/** Calls a function on a tensor and on all that its method was given: it refuses what is too much. */
export function call<R>(
  f: (x: TensorLike, ...rest: never[]) => R,
  x: Tensor,
  args: ArrayLike<unknown>,
): R {
  const given = f as (...args: unknown[]) => R;
  if (args.length === 0) return given(x);
  return args.length === 1 ? given(x, args[0]) : given(x, ...Array.from(args));
}

/** The methods of {@linkcode Tensor} that work element by element; see the functions of the same names. */
export abstract class FluentElementwise {
  /** `this + other`, element by element. */
  add(this: Tensor, other: TensorLike): Tensor {
    return call(ops.add, this, arguments);
  }

  /** `this − other`. */
  sub(this: Tensor, other: TensorLike): Tensor {
    return call(ops.sub, this, arguments);
  }

  /** `this · other`, element by element. */
  mul(this: Tensor, other: TensorLike): Tensor {
    return call(ops.mul, this, arguments);
  }

  /** `this / other`. */
  div(this: Tensor, other: TensorLike): Tensor {
    return call(ops.div, this, arguments);
  }

  /** `−x`. */
  neg(this: Tensor): Tensor {
    return call(ops.neg, this, arguments);
  }

  /** `|x|`, with gradient 0 at 0. */
  abs(this: Tensor): Tensor {
    return call(ops.abs, this, arguments);
  }

  /** −1, 0 or 1. */
  sign(this: Tensor): Tensor {
    return call(ops.sign, this, arguments);
  }

  /** `x^exponent`. */
  pow(this: Tensor, exponent: TensorLike): Tensor {
    return call(ops.pow, this, arguments);
  }

  /** The larger of the two, element by element. */
  maximum(this: Tensor, other: TensorLike): Tensor {
    return call(ops.maximum, this, arguments);
  }

  /** The smaller of the two, element by element. */
  minimum(this: Tensor, other: TensorLike): Tensor {
    return call(ops.minimum, this, arguments);
  }

  /** The values limited to `[min, max]`. */
  clip(this: Tensor, min: number, max: number): Tensor {
    return call(ops.clip, this, arguments);
  }

  /** `x²`. */
  square(this: Tensor): Tensor {
    return call(ops.square, this, arguments);
  }

  /** `√x`. */
  sqrt(this: Tensor): Tensor {
    return call(ops.sqrt, this, arguments);
  }

  /** `1 / √x`. */
  rsqrt(this: Tensor): Tensor {
    return call(ops.rsqrt, this, arguments);
  }

  /** `1 / x`. */
  reciprocal(this: Tensor): Tensor {
    return call(ops.reciprocal, this, arguments);
  }

  /** `e^x`. */
  exp(this: Tensor): Tensor {
    return call(ops.exp, this, arguments);
  }

  /** `2^x`. */
  exp2(this: Tensor): Tensor {
    return call(ops.exp2, this, arguments);
  }

  /** `e^x − 1`. */
  expm1(this: Tensor): Tensor {
    return call(ops.expm1, this, arguments);
  }

  /** Natural logarithm. */
  log(this: Tensor): Tensor {
    return call(ops.log, this, arguments);
  }

  /** Logarithm to base 2. */
  log2(this: Tensor): Tensor {
    return call(ops.log2, this, arguments);
  }

  /** Logarithm to base 10. */
  log10(this: Tensor): Tensor {
    return call(ops.log10, this, arguments);
  }

  /** `log(1 + x)`. */
  log1p(this: Tensor): Tensor {
    return call(ops.log1p, this, arguments);
  }

  /** Sine. */
  sin(this: Tensor): Tensor {
    return call(ops.sin, this, arguments);
  }

  /** Cosine. */
  cos(this: Tensor): Tensor {
    return call(ops.cos, this, arguments);
  }

  /** Tangent. */
  tan(this: Tensor): Tensor {
    return call(ops.tan, this, arguments);
  }

  /** The angle with this sine. */
  asin(this: Tensor): Tensor {
    return call(ops.asin, this, arguments);
  }

  /** The angle with this cosine. */
  acos(this: Tensor): Tensor {
    return call(ops.acos, this, arguments);
  }

  /** The angle with this tangent. */
  atan(this: Tensor): Tensor {
    return call(ops.atan, this, arguments);
  }

  /** The angle of the point (x, this). */
  atan2(this: Tensor, x: TensorLike): Tensor {
    return call(ops.atan2, this, arguments);
  }

  /** Hyperbolic sine. */
  sinh(this: Tensor): Tensor {
    return call(ops.sinh, this, arguments);
  }

  /** Hyperbolic cosine. */
  cosh(this: Tensor): Tensor {
    return call(ops.cosh, this, arguments);
  }

  /** Hyperbolic tangent. */
  tanh(this: Tensor): Tensor {
    return call(ops.tanh, this, arguments);
  }

  /** Inverse of the hyperbolic sine. */
  asinh(this: Tensor): Tensor {
    return call(ops.asinh, this, arguments);
  }

  /** Inverse of the hyperbolic cosine. */
  acosh(this: Tensor): Tensor {
    return call(ops.acosh, this, arguments);
  }

  /** Inverse of the hyperbolic tangent. */
  atanh(this: Tensor): Tensor {
    return call(ops.atanh, this, arguments);
  }

  /** The logistic function. */
  sigmoid(this: Tensor): Tensor {
    return call(ops.sigmoid, this, arguments);
  }

  /** `log σ(x)`. */
  logSigmoid(this: Tensor): Tensor {
    return call(ops.logSigmoid, this, arguments);
  }

  /** `log(1 + e^x)`. */
  softplus(this: Tensor): Tensor {
    return call(ops.softplus, this, arguments);
  }

  /** `max(x, 0)`. */
  relu(this: Tensor): Tensor {
    return call(ops.relu, this, arguments);
  }

  /** Rectifier with a small slope on the negative side. */
  leakyRelu(this: Tensor, options?: LeakyReluOptions): Tensor {
    return call(ops.leakyRelu, this, arguments);
  }

  /** `x σ(x)`. */
  silu(this: Tensor): Tensor {
    return call(ops.silu, this, arguments);
  }

  /** x times the share of a standard normal distribution below it. */
  gelu(this: Tensor, options?: GeluOptions): Tensor {
    return call(ops.gelu, this, arguments);
  }

  /** Exponential linear unit. */
  elu(this: Tensor, options?: EluOptions): Tensor {
    return call(ops.elu, this, arguments);
  }

  /** The identity between two limits. */
  hardtanh(this: Tensor, options?: HardtanhOptions): Tensor {
    return call(ops.hardtanh, this, arguments);
  }

  /** The error function. */
  erf(this: Tensor): Tensor {
    return call(ops.erf, this, arguments);
  }

  /** `1 − erf x`. */
  erfc(this: Tensor): Tensor {
    return call(ops.erfc, this, arguments);
  }

  /** Inverse of the error function. */
  erfinv(this: Tensor): Tensor {
    return call(ops.erfinv, this, arguments);
  }

  /** Rounded down. */
  floor(this: Tensor): Tensor {
    return call(ops.floor, this, arguments);
  }

  /** Rounded up. */
  ceil(this: Tensor): Tensor {
    return call(ops.ceil, this, arguments);
  }

  /** Rounded to the nearest whole number. */
  round(this: Tensor): Tensor {
    return call(ops.round, this, arguments);
  }

  /** Rounded towards 0. */
  trunc(this: Tensor): Tensor {
    return call(ops.trunc, this, arguments);
  }

  /** The remainder of a division rounded down. */
  mod(this: Tensor, b: TensorLike): Tensor {
    return call(ops.mod, this, arguments);
  }

  /** `log |Γ(x)|`. */
  lgamma(this: Tensor): Tensor {
    return call(ops.lgamma, this, arguments);
  }

  /** The derivative of `lgamma`. */
  digamma(this: Tensor): Tensor {
    return call(ops.digamma, this, arguments);
  }

  /** Where the two are equal. */
  equal(this: Tensor, other: TensorLike): Tensor {
    return call(ops.equal, this, arguments);
  }

  /** Where the two differ. */
  notEqual(this: Tensor, other: TensorLike): Tensor {
    return call(ops.notEqual, this, arguments);
  }

  /** Where `this < other`. */
  less(this: Tensor, other: TensorLike): Tensor {
    return call(ops.less, this, arguments);
  }

  /** Where `this ≤ other`. */
  lessEqual(this: Tensor, other: TensorLike): Tensor {
    return call(ops.lessEqual, this, arguments);
  }

  /** Where `this > other`. */
  greater(this: Tensor, other: TensorLike): Tensor {
    return call(ops.greater, this, arguments);
  }

  /** Where `this ≥ other`. */
  greaterEqual(this: Tensor, other: TensorLike): Tensor {
    return call(ops.greaterEqual, this, arguments);
  }

  /** Where the values are NaN. */
  isNaN(this: Tensor): Tensor {
    return call(ops.isNaN, this, arguments);
  }

  /** Where the values are neither infinite nor NaN. */
  isFinite(this: Tensor): Tensor {
    return call(ops.isFinite, this, arguments);
  }

  /** Where the values are infinite. */
  isInf(this: Tensor): Tensor {
    return call(ops.isInf, this, arguments);
  }

  /** Where something does not hold. */
  logicalNot(this: Tensor): Tensor {
    return call(ops.logicalNot, this, arguments);
  }

  /** Where both hold. */
  logicalAnd(this: Tensor, other: TensorLike): Tensor {
    return call(ops.logicalAnd, this, arguments);
  }

  /** Where at least one of two holds. */
  logicalOr(this: Tensor, other: TensorLike): Tensor {
    return call(ops.logicalOr, this, arguments);
  }

  /** Where exactly one of two holds. */
  logicalXor(this: Tensor, other: TensorLike): Tensor {
    return call(ops.logicalXor, this, arguments);
  }

  /** With numbers in place of NaN and infinities. */
  nanToNum(this: Tensor, options?: NanToNumOptions): Tensor {
    return call(ops.nanToNum, this, arguments);
  }
}
