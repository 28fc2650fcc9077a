/** Losses where terms cancel, against values of 60 digits (make_digits_fixture.py). */
import { assert } from "@std/assert";
import * as cg from "../../mod.ts";
import * as losses from "../../src/losses/mod.ts";
import fixture from "./digits.json" with { type: "json" };

type Name = keyof typeof fixture;
type Loss = (x: cg.Tensor[]) => cg.Tensor;

interface Case {
  /** The losses of columns, one for each row. */
  loss: Loss;
  /** How many arguments there are, and which of them have a derivative. */
  arity: number;
  slopes: readonly number[];
  /** The size of the terms that an output is the difference of; of its own by default. */
  terms?: (row: readonly number[], output: number) => number;
}

const none = { reduction: "none" } as const;

const CASES: Record<Name, Case> = {
  poissonDeviance: {
    loss: ([mu, x]) => losses.poissonDeviance(mu!, x!, none),
    arity: 2,
    slopes: [0],
  },
  gaussianNllLoss: {
    loss: ([m, t, v]) => losses.gaussianNllLoss(m!, t!, v!, none),
    arity: 3,
    slopes: [0, 1, 2],
    terms: ([m, t, v], output) => output < 3 ? 0 : 1 / v! + ((t! - m!) / v!) ** 2,
  },
  evidentialLoss: {
    loss: ([y, g, n, a, b]) => losses.evidentialLoss(y!, g!, n!, a!, b!, none),
    arity: 5,
    slopes: [0, 1, 2, 3, 4],
  },
  negativeBinomialMixtureLoss: {
    loss: ([x, m1, m2, r, z]) => losses.negativeBinomialMixtureLoss(x!, m1!, m2!, r!, z!, none),
    arity: 5,
    slopes: [1, 2, 4],
    terms: (row, output) => output < 3 ? 0 : 1 / (2 + 2 * Math.cosh(row[4]!)),
  },
};

/** Below the smallest normal float32, digits are lost. */
const TINY = 2 ** -126;

for (const dtype of ["float32", "float64"] as const) {
  const [digits, slopeDigits] = dtype === "float32" ? [2e-6, 2e-5] : [1e-12, 1e-10];
  for (const [name, { loss, arity, slopes, terms = () => 0 }] of Object.entries(CASES)) {
    Deno.test(`${name}() and its gradients have their digits in ${dtype}, compiled too`, async () => {
      const rows: readonly (readonly number[])[] = fixture[name as Name];
      const inputs = Array.from(
        { length: arity },
        (_, i) => cg.tensor(rows.map((row) => row[i]!), { dtype }),
      );
      const f = (...x: cg.Tensor[]) => {
        const by = cg.grad((...y: cg.Tensor[]) => loss(y).sum(), { argnums: [...slopes] });
        return [loss(x), ...by(...x) as cg.Tensor[]];
      };
      await using program = await cg.compile(f, inputs);
      for (const found of [f(...inputs), await program(...inputs)]) {
        found.forEach((column, k) =>
          rows.forEach((row, at) => {
            const expected = row[arity + k]!;
            const own = k === 0 ? digits : slopeDigits;
            const limit = own * Math.max(Math.abs(expected), terms(row, k)) + TINY;
            const actual = column.data[at]!;
            const isFar = Math.abs(expected) > 3e38;
            assert(
              isFar || Math.abs(actual - expected) <= limit,
              `output ${k} at ${row.slice(0, arity)} is ${actual}, not ${expected}`,
            );
          })
        );
      }
    });
  }
}
