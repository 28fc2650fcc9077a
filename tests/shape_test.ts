import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  broadcastShapes,
  broadcastStrides,
  checkExtent,
  checkShape,
  formatShape,
  normalizeAxes,
  normalizeAxis,
  reducedShape,
  sameShape,
  type Shape,
  sizeOf,
  stridesOf,
} from "../src/shape.ts";

const RUNS = { seed: 7, numRuns: 300 };

const message = (f: () => unknown, kind: new () => Error) => assertThrows(f, kind).message;

const anyShape = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 5 });

/** A shape with axes dropped from the front and others set to 1, so that it broadcasts back. */
const shrunk = (shape: number[]) =>
  fc.tuple(
    fc.nat({ max: shape.length }),
    fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }),
  ).map(([dropped, ones]) => shape.map((n, i) => ones[i] ? 1 : n).slice(dropped));

/** Shapes of which about half broadcast. */
const severalShapes = fc.oneof(
  fc.array(anyShape, { minLength: 1, maxLength: 3 }),
  anyShape.chain((shape) => fc.array(shrunk(shape), { minLength: 1, maxLength: 4 })),
);

/** NumPy's rule by its definition: pad with ones in front, then all extents but 1 must agree. */
function numpyRule(shapes: Shape[]): number[] | null {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  const padded = shapes.map((shape) => [...new Array(rank - shape.length).fill(1), ...shape]);
  const result: number[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const extents = new Set(padded.map((shape) => shape[axis] as number));
    extents.delete(1);
    if (extents.size > 1) return null;
    result.push([...extents][0] ?? 1);
  }
  return result;
}

Deno.test("broadcastShapes() follows NumPy's rule", () => {
  let [met, refused] = [0, 0];
  fc.assert(
    fc.property(severalShapes, (shapes) => {
      const expected = numpyRule(shapes);
      if (expected === null) {
        refused++;
        assertThrows(() => broadcastShapes("f", ...shapes), TypeError);
      } else {
        met++;
        assertEquals([...broadcastShapes("f", ...shapes)], expected);
      }
    }),
    RUNS,
  );
  assertEquals([met > 50, refused > 50], [true, true]);
});

Deno.test("broadcastShapes() meets empty extents with 1 only", () => {
  assertEquals(broadcastShapes("f", [0], [1]), [0]);
  assertEquals(broadcastShapes("f", [1], [3, 0]), [3, 0]);
  assertThrows(() => broadcastShapes("f", [0], [2]), TypeError);
});

Deno.test("broadcastShapes() names the caller and all shapes", () => {
  assertEquals(
    message(() => broadcastShapes("add", [2, 3], [], [4]), TypeError),
    "Cannot compute add as the shapes do not broadcast: current shapes are [2, 3] and [] and [4]",
  );
});

Deno.test("broadcastStrides() reads the value that NumPy's rule puts at each position", () => {
  fc.assert(
    fc.property(anyShape.chain((target) => fc.tuple(fc.constant(target), shrunk(target))), ([
      target,
      shape,
    ]) => {
      const strides = broadcastStrides(shape, target);
      const own = stridesOf(shape);
      for (let flat = 0; flat < sizeOf(target); flat++) {
        const position = positionOf(flat, target);
        const inner = position.slice(target.length - shape.length).map((p, i) =>
          shape[i] === 1 ? 0 : p
        );
        const dot = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
        assertEquals(dot(position, strides), dot(inner, own));
      }
    }),
    RUNS,
  );
});

/** The position of the `flat`-th entry in row-major order, counted off one by one. */
function positionOf(flat: number, shape: Shape): number[] {
  const position = shape.map(() => 0);
  for (let k = 0; k < flat; k++) {
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++position[axis]! < shape[axis]!) break;
      position[axis] = 0;
    }
  }
  return position;
}

Deno.test("stridesOf() counts off positions in row-major order", () => {
  assertEquals(stridesOf([2, 3, 4]), [12, 4, 1]);
  assertEquals(stridesOf([]), []);
  fc.assert(
    fc.property(anyShape, (shape) => {
      const strides = stridesOf(shape);
      for (let flat = 0; flat < sizeOf(shape); flat++) {
        assertEquals(positionOf(flat, shape).reduce((at, p, i) => at + p * strides[i]!, 0), flat);
      }
    }),
    RUNS,
  );
});

Deno.test("sizeOf() is 1 for rank 0 and 0 where an extent is", () => {
  assertEquals([sizeOf([]), sizeOf([2, 3]), sizeOf([2, 0, 3])], [1, 6, 0]);
});

Deno.test("sameShape() compares extents and rank", () => {
  assertEquals([sameShape([2], [2]), sameShape([2], [2, 1]), sameShape([2], [3])], [
    true,
    false,
    false,
  ]);
});

Deno.test("formatShape() writes a list", () => {
  assertEquals([formatShape([]), formatShape([2, 3])], ["[]", "[2, 3]"]);
});

Deno.test("normalizeAxis() counts negative axes from the end", () => {
  for (let rank = 1; rank <= 5; rank++) {
    for (let axis = 0; axis < rank; axis++) {
      assertEquals(normalizeAxis("f", axis, rank), axis);
      assertEquals(normalizeAxis("f", axis - rank, rank), axis);
    }
  }
});

Deno.test("normalizeAxis() refuses axes that do not exist", () => {
  for (const axis of [2, -3, 0.5, NaN, Infinity]) {
    assertEquals(
      message(() => normalizeAxis("sum", axis, 2), RangeError),
      "Cannot compute sum as axis must be an integer in [-2, 1] for a tensor of rank 2: " +
        `current value is ${axis}`,
    );
  }
});

Deno.test("normalizeAxis() says that a single number has no axes", () => {
  for (const axis of [0, -1]) {
    assertEquals(
      message(() => normalizeAxis("sum", axis, 0), RangeError),
      `Cannot compute sum as a tensor of rank 0 has no axes: current value of axis is ${axis}`,
    );
  }
});

Deno.test("normalizeAxes() sorts, and takes all by default", () => {
  assertEquals(normalizeAxes("f", undefined, 3), [0, 1, 2]);
  assertEquals(normalizeAxes("f", -1, 3), [2]);
  assertEquals(normalizeAxes("f", [2, -3], 3), [0, 2]);
  assertEquals(normalizeAxes("f", [], 3), []);
});

Deno.test("normalizeAxes() refuses an axis that is named twice", () => {
  assertEquals(
    message(() => normalizeAxes("mean", [1, -1], 2), RangeError),
    "Cannot compute mean as axis names an axis twice: current value is [1,-1]",
  );
});

Deno.test("reducedShape() drops axes or keeps them as 1", () => {
  assertEquals(reducedShape([2, 3, 4], [0, 2], false), [3]);
  assertEquals(reducedShape([2, 3, 4], [0, 2], true), [1, 3, 1]);
  assertEquals(reducedShape([2, 3], [], false), [2, 3]);
});

Deno.test("checkShape() and checkExtent() let extents pass and name what is none", () => {
  checkShape("f", [0, 2]);
  checkExtent("f", "n", 0);
  assertEquals(
    message(() => checkShape("f", [2, -1]), TypeError),
    "Cannot compute f as shape must be an array of non-negative integers: current value is [2, -1]",
  );
  assertEquals(
    message(() => checkExtent("f", "n", -1), TypeError),
    "Cannot compute f as n must be a non-negative integer: current value is -1",
  );
});
