/**
 * Checks: operations whose work is to throw where values are not allowed, whatever runs them.
 *
 * @module
 */
import type { DType, TypedArray } from "./dtype.ts";
import type { CheckOp, Forbidden } from "./op.ts";
import type { Tensor } from "./tensor.ts";

/** What a check is made of. */
export interface CheckDraft<P> {
  /** The operation's name. */
  name: string;
  /** The type of the result; that of the input by default. */
  dtype?: DType;
  /** Which values must not be there. */
  forbidden: (params: P) => Forbidden;
  /** The input's values in the type of the result, or an error; a mask says which of them count. */
  forward: (x: Tensor, params: P, mask: Tensor | undefined) => TypedArray;
}

/** An operation whose work is to throw where values are not allowed. */
export function check<P>({ name, dtype, forbidden, forward }: CheckDraft<P>): CheckOp<P> {
  return {
    kind: "check",
    name,
    infer: ([x]) => ({ shape: x!.shape, dtype: dtype ?? x!.dtype }),
    forward: ([x, mask], params) => forward(x!, params, mask),
    vjp: null,
    refuses: ({ length }, params) => ({
      inputs: length === 1 ? [0] : [0, 1],
      forbidden: forbidden(params),
      verify: (x, mask) => void forward(x!, params, mask),
    }),
  };
}
