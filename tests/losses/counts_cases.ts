/** Likelihoods of counts beside values of 60 digits. */
import * as cg from "../../mod.ts";
import { negativeBinomialLoss, zinbLoss } from "../../src/losses/mod.ts";
import fixture from "./counts.json" with { type: "json" };

/** A loss per count and the digits that are known of it and of its gradient. */
export interface CountCase {
  /** The loss and its type. */
  name: string;
  /** The sum over all rows, and its derivatives: those of each row. */
  f: (...inputs: cg.Tensor[]) => cg.Tensor[];
  /** The arguments: a column each. */
  inputs: cg.Tensor[];
  /** The derivatives by each argument. */
  expected: number[][];
}

type Loss = (...inputs: cg.Tensor[]) => cg.Tensor;

function makeCase(
  name: keyof typeof fixture,
  loss: Loss,
  arity: number,
  dtype: "float32" | "float64",
): CountCase {
  const rows = fixture[name];
  const column = (i: number) => rows.map((row) => row[i]!);
  const argnums = Array.from({ length: arity }, (_, i) => i);
  return {
    name: `${name} in ${dtype}`,
    f: (...xs) => cg.valueAndGrad(loss, { argnums })(...xs).flat() as cg.Tensor[],
    inputs: argnums.map((i) => cg.tensor(column(i), { dtype })),
    expected: argnums.map((i) => column(arity + 1 + i)),
  };
}

/** Each loss as a sum over all rows, whose gradient has a row's own derivatives. */
export function countCases(dtype: "float32" | "float64"): CountCase[] {
  const negativeBinomial: Loss = (x, mu, theta) =>
    negativeBinomialLoss(x!, mu!, theta!).mul(x!.size);
  return [
    makeCase("negativeBinomial", negativeBinomial, 3, dtype),
    makeCase("zinb", zinbLoss as Loss, 4, dtype),
  ];
}

/** Each loss of one row, with the value that it should have. */
export function countValues(): { loss: Loss; inputs: number[]; expected: number }[] {
  const rows = (name: keyof typeof fixture, loss: Loss, arity: number) =>
    fixture[name].map((row) => ({
      loss,
      inputs: row.slice(0, arity),
      expected: row[arity]!,
    }));
  return [
    ...rows("negativeBinomial", negativeBinomialLoss as Loss, 3),
    ...rows("zinb", zinbLoss as Loss, 4),
  ];
}

/** What the two parts of a derivative are at most: next to its roots, digits of these are left. */
export function partsOf(argument: number, logs: boolean, row: readonly number[]): number {
  const [x, mu, theta] = logs ? [row[0]!, Math.exp(row[1]!), Math.exp(row[2]!)] : row as [
    number,
    number,
    number,
  ];
  if (argument === 0) return 1e-6;
  const byMean = theta * (1 + x / mu) / (theta + mu);
  if (argument === 1) return logs ? byMean * mu : byMean;
  const byTheta = ((mu - x) / (x + theta)) ** 2 + x / (theta * (x + theta));
  return logs ? byTheta * theta : byTheta;
}
