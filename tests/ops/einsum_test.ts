import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { compile, dot, einsum, grad, ones, type Tensor, tensor, tensordot } from "../../mod.ts";
import { contractionOrder } from "../../src/ops/contraction_order.ts";
import { type Shape, sizeOf, stridesOf } from "../../src/shape.ts";
import { assertAllClose, checkGradients } from "../../src/testing.ts";
import { numbers, RUNS, tensors } from "./arbitraries.ts";

/** The sum by its definition: over all positions that the letters can take. */
function byDefinition(terms: string[], output: string, operands: readonly Tensor[]): Tensor {
  const extents = new Map<string, number>();
  terms.forEach((term, i) =>
    [...term].forEach((letter, axis) => {
      const extent = operands[i]!.shape[axis]!;
      if ((extents.get(letter) ?? 1) === 1) extents.set(letter, extent);
    })
  );
  const letters = [...extents.keys()];
  const space = letters.map((letter) => extents.get(letter)!);
  const place = (term: string, shape: Shape, at: readonly number[]) => {
    const strides = stridesOf(shape);
    return [...term].reduce((sum, letter, axis) => {
      const step = shape[axis] === 1 ? 0 : strides[axis]!;
      return sum + step * at[letters.indexOf(letter)]!;
    }, 0);
  };
  const shape = [...output].map((letter) => extents.get(letter)!);
  const sums = new Float64Array(sizeOf(shape));
  const strides = stridesOf(space);
  for (let flat = 0; flat < sizeOf(space); flat++) {
    const at = space.map((n, i) => Math.floor(flat / strides[i]!) % n);
    sums[place(output, shape, at)]! += terms.reduce(
      (product, term, i) => product * operands[i]!.data[place(term, operands[i]!.shape, at)]!,
      1,
    );
  }
  return tensor(sums, { shape });
}

const EXTENTS: Record<string, number> = { a: 2, b: 3, c: 1, d: 4, E: 2 };

/** Up to four operands with any letters, repeated ones included, and any of them in the result. */
const SUMS = fc.tuple(
  fc.array(
    fc.array(fc.constantFrom(...Object.keys(EXTENTS)), { maxLength: 3 }).map((term) =>
      term.join("")
    ),
    { minLength: 1, maxLength: 4 },
  ),
  fc.integer(),
).chain(([terms, seed]) => {
  const letters = [...new Set(terms.join(""))];
  return fc.tuple(
    fc.constant(terms),
    fc.shuffledSubarray(letters).map((some) => some.join("")),
    fc.tuple(
      ...terms.map((term, i) => {
        const isOne = (letter: string) => i > 0 && (seed >> (letter.charCodeAt(0) + i) & 3) === 3;
        const shape = [...term].map((letter) => isOne(letter) ? 1 : EXTENTS[letter]!);
        return tensors(shape, numbers([-2, 2]));
      }),
    ),
  );
});

Deno.test("einsum() of any subscripts is the sum by its definition, and so in programs", () =>
  fc.assert(
    fc.asyncProperty(SUMS, async ([terms, output, operands]) => {
      const subscripts = `${terms.join(",")}->${output}`;
      const expected = byDefinition(terms, output, operands);
      const call = (...xs: Tensor[]) => einsum(subscripts, ...xs);
      assertAllClose(call(...operands), expected, { rtol: 1e-12, atol: 1e-12 });
      await using program = await compile(call, operands);
      assertAllClose(await program(...operands), expected, { rtol: 1e-12, atol: 1e-12 });
    }),
    { ...RUNS, numRuns: 60 },
  ));

Deno.test("einsum() of any subscripts has the right first and second derivatives", () =>
  fc.assert(
    fc.property(SUMS, ([terms, output, operands]) => {
      const call = (...xs: Tensor[]) => einsum(`${terms.join(",")}->${output}`, ...xs).square();
      checkGradients(call, operands, { order: 2, rtol: 1e-5, atol: 1e-6 });
    }),
    { ...RUNS, numRuns: 30 },
  ));

const m = tensor([[1, 2, 3], [4, 5, 6]], { dtype: "float64" });
const square = tensor([[1, 2], [3, 4]], { dtype: "float64" });
const v = tensor([1, 10, 100], { dtype: "float64" });

/** What NumPy 1.24 gives. */
const CASES: [string, Tensor[], unknown][] = [
  ["ij,j", [m, v], [321, 654]],
  ["ij -> ji", [m], [[1, 4], [2, 5], [3, 6]]],
  ["ba", [m], [[1, 4], [2, 5], [3, 6]]],
  ["bA", [m], [[1, 4], [2, 5], [3, 6]]],
  ["ii", [square], 5],
  ["ii->i", [square], [1, 4]],
  ["ij->", [m], 21],
  ["...j,j->...", [m, v], [321, 654]],
  ["...j,j", [m, v], [321, 654]],
  ["i...->...", [m], [5, 7, 9]],
  ["...", [m], [[1, 2, 3], [4, 5, 6]]],
  ["...,...", [m, v], [[1, 20, 300], [4, 50, 600]]],
  [",", [tensor(2, { dtype: "float64" }), tensor(3, { dtype: "float64" })], 6],
  ["i,i->i", [v, v], [1, 100, 10000]],
  ["i,ij", [tensor([2], { dtype: "float64" }), m], [10, 14, 18]],
  ["iii->i", [ones([2, 2, 2], { dtype: "float64" })], [1, 1]],
];

for (const [subscripts, operands, expected] of CASES) {
  Deno.test(`einsum() reads "${subscripts}" as NumPy does`, () => {
    assertEquals(einsum(subscripts, ...operands).toArray(), expected);
  });
}

Deno.test("einsum() broadcasts the axes of an ellipsis, and keeps them in front", () => {
  const [a, b] = [ones([5, 1, 2, 3]), ones([4, 3, 6])];
  assertEquals(einsum("...ij,...jk", a, b).shape, [5, 4, 2, 6]);
  assertEquals(einsum("...ij,...jk->k...i", a, b).shape, [6, 5, 4, 2]);
});

Deno.test("einsum() sums no values to 0, and keeps axes without values", () => {
  const [a, b] = [ones([2, 0]), ones([0, 3])];
  assertEquals(einsum("ij,jk->ik", a, b).toArray(), [[0, 0, 0], [0, 0, 0]]);
  assertEquals(einsum("ij,ik->ijk", a, ones([2, 3])).shape, [2, 0, 3]);
  assertEquals(einsum("ii->i", ones([0, 0])).shape, [0]);
});

Deno.test("einsum() gives the stronger type; integers and booleans give float32", () => {
  const whole = tensor(Int32Array.of(1, 2));
  assertEquals(einsum("i,i->", whole, whole).dtype, "float32");
  assertEquals(einsum("i->", tensor([true, true])).item(), 2);
  assertEquals(einsum("i,i->", whole, tensor([1, 2], { dtype: "float64" })).dtype, "float64");
});

Deno.test("einsum() keeps NaN and infinities", () => {
  assertEquals(einsum("i,i->", [NaN, 1], [1, 1]).item(), NaN);
  assertEquals(einsum("i,i->i", [Infinity, 1], [1, 1]).toArray(), [Infinity, 1]);
});

Deno.test("einsum() contracts in the order of least cost", () => {
  const extents = new Map([["a", 1000], ["b", 2], ["c", 1000], ["d", 2]]);
  const chain = [["a", "b"], ["b", "c"], ["c", "d"]];
  assertEquals(contractionOrder(chain, ["a", "d"], extents), [[2, 1], 0]);
  // Ten operands, whose product from left to right would be 2¹⁰ times as large as any of them.
  const many = Array.from({ length: 10 }, (_, i) => ["x", String.fromCharCode(97 + i)]);
  const wide = new Map([["x", 3], ...many.map(([, own]) => [own!, 2] as const)]);
  const subscripts = `${many.map((term) => term.join("")).join(",")}->`;
  const operands = many.map(([, own]) => ones([3, wide.get(own!)!]));
  assertEquals(einsum(subscripts, ...operands).item(), 3 * 2 ** 10);
});

Deno.test("einsum() of a million terms of three operands needs no memory for all of them", () => {
  const n = 300;
  const x = ones([n, n]);
  const slope = grad((a: Tensor) => einsum("ij,jk,kl->", a, x, x))(x);
  assertEquals(slope.shape, [n, n]);
  assertEquals(slope.data[0], n * n);
});

Deno.test("einsum() says what is wrong with subscripts", () => {
  const refused: [() => unknown, string][] = [
    [() => einsum("i->i"), "there are no operands"],
    [() => einsum(3 as never, m), "subscripts must be a text: current value is 3"],
    [() => einsum("i->j->k", m), "must have at most one ->"],
    [() => einsum("ij,jk", m), "there are 1 operands and 2 terms"],
    [() => einsum("i?", m), "must be letters, commas, ... and ->, not ?"],
    [() => einsum("i.", m), "must be letters, commas, ... and ->, not ."],
    [() => einsum("...i...", m), "must have at most one ... in each term"],
    [() => einsum("i", m), 'must name each axis once: "i" names 1 of the shape [2, 3]'],
    [() => einsum("...ijk", m), 'must name each axis once: "...ijk" names 3 of the shape [2, 3]'],
    [() => einsum("ii", m), '"i" stands for several in the shapes [2, 3]'],
    [() => einsum("ij,ij", m, square), '"j" stands for several in the shapes [2, 3] and [2, 2]'],
    [() => einsum("...,...", m, square), '"..." stands for several'],
    [() => einsum("...i->i", m), "must have ... in the result"],
    [() => einsum("ij->k", m), 'must name in the result what an operand has, not "k"'],
    [() => einsum("ij->ii", m), 'must name "i" once in the result'],
    [() => einsum("ij->i,j", m), "must be letters, commas, ... and ->, not ,"],
  ];
  for (const [call, text] of refused) assertThrows(call, TypeError, text);
});

Deno.test("tensordot() sums over pairs of axes, with the right derivatives", () => {
  const pair = fc.tuple(
    tensors([2, 3, 4], numbers([-2, 2])),
    tensors([4, 3, 2], numbers([-2, 2])),
  );
  const calls: [ReturnType<typeof JSON.parse>, string, string][] = [
    [0, "", "abcdef"],
    [1, "c=d", "abef"],
    [[[1, 2], [1, 0]], "b=e c=d", "af"],
    [[-1, 0], "c=d", "abef"],
    [[[2, 0, 1], [0, 2, 1]], "c=d a=f b=e", ""],
  ];
  fc.assert(
    fc.property(pair, fc.constantFrom(...calls), ([x, y], [axes, same, output]) => {
      const right = [..."def"].map((letter) =>
        same.match(new RegExp(`(.)=${letter}`))?.[1] ?? letter
      );
      const expected = byDefinition(["abc", right.join("")], output, [x, y]);
      assertAllClose(tensordot(x, y, axes), expected, { rtol: 1e-12, atol: 1e-12 });
      const call = (a: Tensor, b: Tensor) => tensordot(a, b, axes).square();
      checkGradients(call, [x, y], { order: 2, rtol: 1e-5, atol: 1e-6 });
    }),
    { ...RUNS, numRuns: 30 },
  );
});

Deno.test("dot() is NumPy's for every rank", () => {
  assertEquals(dot(3, [1, 2]).toArray(), [3, 6]);
  assertEquals(dot(v, v).item(), 10101);
  assertEquals(dot(m, v).toArray(), [321, 654]);
  assertEquals(dot(square, m).toArray(), [[9, 12, 15], [19, 26, 33]]);
  assertEquals(dot(ones([2, 3, 4]), ones([5, 4, 6])).shape, [2, 3, 5, 6]);
  checkGradients((a: Tensor, b: Tensor) => dot(a, b).square(), [square, m], { order: 2 });
});

Deno.test("tensordot() and dot() say which axes do not meet", () => {
  const refused: [() => unknown, typeof TypeError | typeof RangeError, string][] = [
    [() => tensordot(m, m, 1), TypeError, "axes 1 of a and 0 of b must have the same extents"],
    [() => tensordot(m, m, 3), RangeError, "axes must be at most the ranks of a and b"],
    [() => tensordot(m, m, -1), TypeError, "axes must be how many are summed over"],
    [() => tensordot(m, m, [[0, 1], [0]]), TypeError, "axes must be how many are summed over"],
    [() => tensordot(m, m, [[0], [0.5]]), TypeError, "axes must be a whole number or an array"],
    [() => tensordot(m, m, undefined as never), TypeError, "axes must be how many"],
    [() => tensordot(m, m, [0, 2]), RangeError, "axis must be an integer in [-2, 1]"],
    [() => tensordot(m, m, [[0, 0], [0, 1]]), RangeError, "axes names an axis twice"],
    [() => dot(m, m), TypeError, "axes 1 of a and 0 of b must have the same extents"],
  ];
  for (const [call, kind, text] of refused) assertThrows(call, kind, text);
});
