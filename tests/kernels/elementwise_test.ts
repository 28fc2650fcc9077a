import type { NumberArray } from "../../src/dtype.ts";
import { assertEquals, assertGreater, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ElementwiseKernel } from "../../kernels/elementwise/reference.ts";
import { mergeAxes } from "../../kernels/layout/axes.ts";
import { broadcastStrides } from "../../src/shape.ts";
import { type Shape, sizeOf } from "../../src/shape.ts";

const RUNS = { seed: 17, numRuns: 300 };

/** A shape of up to five axes, and operands with axes dropped or set to 1. */
const layouts = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 5 }).chain((shape) =>
  fc.tuple(
    fc.constant(shape),
    fc.array(
      fc.tuple(
        fc.nat({ max: shape.length }),
        fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }),
      ).map(([dropped, ones]) => shape.map((n, i) => ones[i] ? 1 : n).slice(dropped)),
      { minLength: 1, maxLength: 3 },
    ),
  )
).filter(([shape]) => sizeOf(shape) > 1);

/** Where NumPy's rule finds the operand's value for a position, in nested loops over all axes. */
function naiveOffset(operand: Shape, position: readonly number[]): number {
  let offset = 0;
  operand.forEach((extent, i) => {
    const p = position[position.length - operand.length + i]!;
    offset = offset * extent + (extent === 1 ? 0 : p);
  });
  return offset;
}

function naive(shape: Shape, operands: readonly Shape[], data: readonly NumberArray[]): number[] {
  const out: number[] = [];
  const visit = (position: number[]) => {
    if (position.length < shape.length) {
      for (let p = 0; p < shape[position.length]!; p++) visit([...position, p]);
    } else {
      const [a, b, c] = operands.map((operand, i) => data[i]![naiveOffset(operand, position)]!);
      out.push(a! + 100 * (b ?? 0) + 10000 * (c ?? 0));
    }
  };
  visit([]);
  return out;
}

const SUMS = ["a", "a + 100 * b", "a + 100 * b + 10000 * c"];

for (const generate of [true, false]) {
  const how = generate ? "generated loops" : "the interpreter";
  const kernels = SUMS.map((text) => new ElementwiseKernel("sum", text, { generate }));

  Deno.test(`mergeAxes() and ${how} read operands as naive indexing does`, () => {
    fc.assert(
      fc.property(layouts, ([shape, operands]) => {
        const data = operands.map((s) => Float64Array.from({ length: sizeOf(s) }, (_, i) => i + 1));
        const out = new Float64Array(sizeOf(shape));
        const axes = mergeAxes(shape, operands.map((own) => broadcastStrides(own, shape)));
        kernels[operands.length - 1]!.runStrided(out, axes, data);
        assertEquals([...out], naive(shape, operands, data));
      }),
      RUNS,
    );
  });
}

Deno.test("mergeAxes() keeps as few axes as there are patterns", () => {
  const extents = (shape: number[], operands: number[][]) =>
    mergeAxes(shape, operands.map((own) => broadcastStrides(own, shape)))
      .map(({ extent }) => extent);
  assertEquals(extents([2, 3, 4], [[2, 3, 4], [2, 3, 4]]), [24]);
  assertEquals(extents([2, 3, 4], [[2, 3, 4], [4]]), [6, 4]);
  assertEquals(extents([2, 3, 4], [[2, 3, 4], [2, 1, 1]]), [2, 12]);
  assertEquals(extents([2, 1, 4], [[2, 1, 1], [4]]), [2, 4]);
  assertEquals(extents([2, 3, 4], [[2, 1, 4], [3, 1]]), [2, 3, 4]);
});

Deno.test("runFlat() repeats an operand of one value", () => {
  const kernel = new ElementwiseKernel("sub", "a - b");
  const [x, one] = [Float64Array.of(5, 7), Float64Array.of(1)];
  const out = new Float64Array(2);
  kernel.runFlat(out, [x, one]);
  assertEquals([...out], [4, 6]);
  kernel.runFlat(out, [one, x]);
  assertEquals([...out], [-4, -6]);
});

Deno.test("runFlat() has a loop of its own per types and patterns", () => {
  const kernel = new ElementwiseKernel("mul", "a * b");
  const arrays = [Float32Array, Float64Array, Int32Array, Uint8Array];
  for (let round = 0; round < 2; round++) {
    for (const A of arrays) {
      for (const B of arrays) {
        const out = new Float64Array(2);
        kernel.runFlat(out, [A.of(3, 4), B.of(5, 6)]);
        assertEquals([...out], [15, 24]);
        kernel.runFlat(out, [A.of(3, 4), B.of(5)]);
        assertEquals([...out], [15, 20]);
      }
    }
  }
});

Deno.test("runFlat() hands parameters to the expression", () => {
  const kernel = new ElementwiseKernel("clip", "min(max(a, p), q)");
  const out = new Float32Array(3);
  kernel.runFlat(out, [Float32Array.of(-1, 0.5, 3)], [0, 1]);
  assertEquals([...out], [0, 0.5, 1]);
});

Deno.test("runFlat() wraps products of int32 as 32-bit integers do", () => {
  for (const generate of [true, false]) {
    const kernel = new ElementwiseKernel("mul", "a * b", { generate });
    const out = new Int32Array(1);
    kernel.runFlat(out, [Int32Array.of(2 ** 30 + 1), Int32Array.of(2 ** 30 + 3)]);
    assertEquals(out[0], Math.imul(2 ** 30 + 1, 2 ** 30 + 3));
  }
});

Deno.test("runFlat() does nothing for empty arrays", () => {
  for (const generate of [true, false]) {
    const out = new Float32Array(0);
    new ElementwiseKernel("neg", "-a", { generate }).runFlat(out, [new Float32Array(0)]);
    assertEquals(out.length, 0);
  }
});

/** Runs a function while `new Function` does something else. */
function withFunction(stub: () => never, test: () => void): void {
  const own = globalThis.Function;
  try {
    globalThis.Function = new Proxy(own, { construct: stub });
    test();
  } finally {
    globalThis.Function = own;
  }
}

Deno.test("a kernel interprets where generating code is forbidden", () => {
  let refused = 0;
  const forbid = (): never => {
    refused++;
    throw new EvalError("Refused to evaluate a string as JavaScript");
  };
  withFunction(forbid, () => {
    const kernel = new ElementwiseKernel("add", "a + b");
    const flat = new Float64Array(2);
    kernel.runFlat(flat, [Float64Array.of(1, 2), Float64Array.of(10)]);
    assertEquals([...flat], [11, 12]);
    const strided = new Float64Array(4);
    const axes = [[1, 0], [0, 1]].map((strides) => ({ extent: 2, strides }));
    kernel.runStrided(strided, axes, [Float64Array.of(1, 2), Float64Array.of(10, 20)]);
    assertEquals([...strided], [11, 21, 12, 22]);
  });
  assertGreater(refused, 0);
});

Deno.test("a kernel does not hide other failures of generated code", () => {
  const fail = (): never => {
    throw new SyntaxError("broken");
  };
  withFunction(fail, () => {
    const kernel = new ElementwiseKernel("neg", "-a");
    assertThrows(() => kernel.runFlat(new Float64Array(1), [Float64Array.of(1)]), SyntaxError);
  });
});

Deno.test("a kernel refuses an expression that does not parse, when it is to run", () => {
  const kernel = new ElementwiseKernel("bad", "a +");
  assertThrows(() => kernel.runFlat(new Float32Array(2), [new Float32Array(2)]), SyntaxError);
});
