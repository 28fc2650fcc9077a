import { type Tensor, tensor } from "@cellgrad/cellgrad";
import { classWeights } from "@cellgrad/cellgrad/losses";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { RUNS } from "../arbitraries.ts";
import golden from "../golden/class_weights.json" with { type: "json" };
import { checkGolden } from "../golden/golden.ts";
import { assertFinite, assertSame, testMisuse } from "./laws.ts";

const NAMES = { plain: "plain", balanced: "balanced", mean_one: "meanOne" } as const;

const counts = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 5 })
  .filter((n) => n.some((count) => count > 0));

Deno.test("classWeights() agrees with the golden vectors", () => {
  checkGolden(golden, ({ counts }, { normalization }) => {
    const weights = classWeights(counts, { normalization: NAMES[normalization as "plain"] });
    return { value: weights.sum(), outputs: { weights } };
  });
});

Deno.test("classWeights() prints the guide's sample to three digits", () => {
  const weights = classWeights([80, 10, 7, 3]);
  assertEquals(Array.from(weights.data, (w) => w.toPrecision(3)), ["1.25", "10.0", "14.3", "33.3"]);
});

Deno.test("classWeights() reproduces the code behind the guide as meanOne", () => {
  const weights = classWeights([80, 10, 7, 3], { normalization: "meanOne" });
  assertEquals(Array.from(weights.data, (w) => w.toFixed(4)), [
    "0.0849",
    "0.6795",
    "0.9707",
    "2.2649",
  ]);
});

Deno.test("classWeights() gives every class that occurs the same total weight", () => {
  fc.assert(
    fc.property(counts, (n) => {
      const total = n.reduce((a, b) => a + b, 0);
      const weighted = classWeights(n).mul(n);
      assertSame(weighted, tensor(n.map((count) => count > 0 ? total : 0), { dtype: "float64" }));
    }),
    RUNS,
  );
});

Deno.test("classWeights() has weighted counts that add up to all where balanced and none absent", () => {
  fc.assert(
    fc.property(counts.map((n) => n.map((count) => count + 1)), (n) => {
      const weights = classWeights(n, { normalization: "balanced" });
      assertSame(weights.mul(n).sum(), n.reduce((a, b) => a + b, 0));
    }),
    RUNS,
  );
});

Deno.test("classWeights() has mean 1 where meanOne", () => {
  fc.assert(
    fc.property(counts, (n) => {
      assertSame(classWeights(n, { normalization: "meanOne" }).mean(), 1);
    }),
    RUNS,
  );
});

Deno.test("classWeights() does not depend on the scale of the counts", () => {
  fc.assert(
    fc.property(counts, (n) => {
      const shares = n.map((count) => count / 7);
      for (const normalization of ["plain", "balanced", "meanOne"] as const) {
        assertSame(classWeights(shares, { normalization }), classWeights(n, { normalization }));
      }
    }),
    RUNS,
  );
});

Deno.test("classWeights() of an absent class is 0", () => {
  assertEquals(classWeights([5, 0, 5]).toArray(), [2, 0, 2]);
});

Deno.test("classWeights() has mean 1 over all classes, also where most are absent", () => {
  assertEquals(classWeights([5, 0, 0], { normalization: "meanOne" }).toArray(), [3, 0, 0]);
});

Deno.test("classWeights() has finite gradients by shares, also of absent classes", () => {
  for (const normalization of ["plain", "balanced", "meanOne"] as const) {
    const total = (shares: Tensor) => classWeights(shares, { normalization }).square().sum();
    assertFinite(total, [tensor([0.5, 0, 0.5])]);
  }
});

Deno.test("classWeights() of nothing at all is 0 in every normalization", () => {
  for (const normalization of ["plain", "balanced", "meanOne"] as const) {
    assertEquals(classWeights([0, 0], { normalization }).toArray(), [0, 0]);
  }
});

Deno.test("classWeights() keeps the type of floating counts, and is float64 otherwise", () => {
  assertEquals(classWeights(Float32Array.of(1, 3)).dtype, "float32");
  assertEquals(classWeights(Int32Array.of(1, 3)).dtype, "float64");
  assertEquals(classWeights([1, 3]).dtype, "float64");
});

testMisuse("classWeights", [
  [
    "a matrix",
    () => classWeights([[1, 2]]),
    TypeError,
    "Cannot compute classWeights as counts must have the shape [classes]: " +
    "current shape is [1, 2]",
  ],
  [
    "an unknown normalization",
    () => classWeights([1, 2], { normalization: "mean_one" as never }),
    TypeError,
    "Cannot compute classWeights as normalization must be one of plain, balanced, meanOne: " +
    "current value is mean_one",
  ],
  [
    "an unknown option",
    () => classWeights([1, 2], { mode: "plain" } as never),
    TypeError,
    "Cannot compute classWeights as there is no option mode: the options are normalization",
  ],
]);
