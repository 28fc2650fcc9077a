/**
 * Laws of losses over labels of classes.
 *
 * @module
 */
import { grad, type Tensor, tensor, type TensorLike } from "@cellgrad/cellgrad";
import { checkGradients } from "@cellgrad/cellgrad/testing";
import fc from "fast-check";
import { classCases, FEW_RUNS, permutations, RUNS } from "../arbitraries.ts";
import { assertAllZero, assertFinite, assertSame, ignoreOff } from "./laws.ts";

type ClassLoss = (
  logits: Tensor,
  labels: TensorLike,
  options?: { ignoreIndex?: number },
) => Tensor;

/** The order of the first axis, and that of the classes, are nothing to a loss. */
export function testOrderOfClasses(
  name: string,
  f: (logits: Tensor, labels: TensorLike) => Tensor,
): void {
  Deno.test(`${name}() does not depend on the order of rows, nor on names of classes`, () => {
    const cases = classCases().chain((c) =>
      fc.tuple(
        fc.constant(c),
        permutations(c.labels.shape[0]!),
        permutations(c.logits.shape[1]!),
      )
    );
    fc.assert(
      fc.property(cases, ([{ logits, labels }, order, names]) => {
        const loss = f(logits, labels);
        assertSame(f(logits.gather(order), labels.gather(order)), loss);
        const renamed = tensor(names, { dtype: "int32" }).argSort().gather(labels);
        assertSame(f(logits.gather(names, { axis: 1 }), renamed), loss);
      }),
      RUNS,
    );
  });
}

/** Ignored positions are as good as not there, in the value and in two orders of derivatives. */
export function testIgnoredPositions(name: string, f: ClassLoss): void {
  Deno.test(`${name}() ignores positions as if they were not there`, () => {
    fc.assert(
      fc.property(classCases(), ({ logits, labels, mask }) => {
        const classes = logits.shape[1]!;
        const ignored = f(logits, ignoreOff(labels, mask, 255), { ignoreIndex: 255 });
        const rows = logits.reshape([logits.shape[0]!, classes, -1]).transpose([0, 2, 1]);
        const kept = [...mask.data].flatMap((m, i) => m ? [i] : []);
        const subset = f(
          rows.reshape([-1, classes]).gather(kept),
          labels.reshape([-1]).gather(kept),
        );
        assertSame(ignored, subset);
      }),
      RUNS,
    );
  });

  Deno.test(`${name}() gives ignored positions gradient 0, whatever their logits`, () => {
    const loss = (z: Tensor) => f(z, [1, -1, 0], { ignoreIndex: -1 });
    const logits = tensor([[0, 0.5], [NaN, Infinity], [1, 2]]);
    assertFinite(loss, [logits]);
    assertAllZero(grad(loss)(logits).slice(1, 2));
  });

  Deno.test(`${name}() has the right first and second derivatives`, () => {
    fc.assert(
      fc.property(classCases(), ({ logits, labels, mask }) => {
        const kept = ignoreOff(labels, mask, -1);
        checkGradients((z) => f(z, kept, { ignoreIndex: -1 }), [logits], { order: 2 });
      }),
      FEW_RUNS,
    );
  });
}
