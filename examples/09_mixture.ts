/** Gaussian mixtures of two genes by maximum likelihood: Newton's method with `hessian` and `solve`. */
import * as cg from "@cellgrad/cellgrad";
import { logDet, solve, solveTriangular } from "@cellgrad/cellgrad/linalg";
import { runProgram } from "./lib/arguments.ts";

type Tensor = cg.Tensor;

const TYPES = 3;
const CELLS = 600;
const F64 = { dtype: "float64" } as const;
const f64 = (values: cg.NestedArray) => cg.tensor(values, F64);

/** What is to be found again: shares, means and covariances of three cell types. */
const shares = [0.5, 0.3, 0.2];
const means = f64([[0, 0], [4, 1], [1, 4]]);
const covariances = f64([[[1, 0.5], [0.5, 1]], [[0.5, 0], [0, 1.5]], [[1, -0.6], [-0.6, 0.8]]]);

const [typeKey, cellKey] = cg.splitKey(cg.key(0)) as [Tensor, Tensor];
const types = cg.choice(typeKey, TYPES, { shape: [CELLS], weights: shares });
const cells = cg.multivariateNormal(
  cellKey,
  cg.gather(means, types),
  cg.gather(covariances, types),
  F64,
);

/** Log shares, means and roots L of the covariances, all from one vector of 18 numbers. */
function unpack(p: Tensor) {
  const [logits, centers, scales, slopes] = cg.split(p, [3, 6, 6, 3]) as Tensor[];
  const diagonal = cg.mul(cg.exp(scales!.reshape(TYPES, 2, 1)), cg.eye(2, F64));
  const below = cg.mul(slopes!.reshape(TYPES, 1, 1), f64([[0, 0], [1, 0]]));
  return {
    logShares: logits!.logSoftmax(),
    means: centers!.reshape(TYPES, 2),
    roots: cg.add(diagonal, below),
  };
}

/** The mean negative log-likelihood of the cells: −log Σ share · N(x; mean, L·Lᵀ). */
function loss(p: Tensor): Tensor {
  const { logShares, means, roots } = unpack(p);
  const centered = cg.sub(cells, cg.expandDims(means, 1)).transpose([0, 2, 1]);
  const distances = cg.sum(cg.square(solveTriangular(roots, centered)), { axis: 1 });
  const heights = cg.sub(logShares, logDet(roots).logAbs).reshape(TYPES, 1);
  const densities = cg.sub(heights, distances.mul(0.5).add(Math.log(2 * Math.PI)));
  return cg.neg(cg.mean(cg.logSumExp(densities, { axis: 0 })));
}

async function main(): Promise<void> {
  await using derivatives = await cg.compile(
    (p: Tensor) => [loss(p), cg.grad(loss)(p), cg.hessian(loss)(p)] as const,
    [cg.zeros([18], F64)],
  );
  const start = cg.concat([cg.zeros([3], F64), f64([0, -1, 2, 1, 0, 2]), cg.zeros([9], F64)]);

  // λ shortens steps: it rises until one leads down, and vanishes near the minimum.
  let [p, damping] = [start, 0.1];
  for (let step = 0; step < 50; step++) {
    const [value, gradient, hessian] = await derivatives(p);
    const steepness = gradient.norm().item();
    console.log(`step ${step}: ${value.item().toFixed(9)}, gradient ${steepness.toExponential(1)}`);
    if (steepness < 1e-10) break;
    for (;; damping *= 4) {
      const next = p.sub(solve(hessian.add(cg.eye(18, F64).mul(damping)), gradient));
      if (!(loss(next).item() <= value.item() + 1e-14)) continue;
      [p, damping] = [next, damping / 10];
      break;
    }
  }
  const found = unpack(p);
  const format = (x: Tensor) => Array.from(x.data, (v) => v.toFixed(2)).join(", ");
  found.logShares.exp().data.forEach((share: number, i: number) => {
    const root = found.roots.at(i);
    console.log(
      `type ${i}: share ${share.toFixed(3)} (${shares[i]}), mean ${format(found.means.at(i))} ` +
        `(${format(means.at(i))}), covariance ${format(root.matmul(root.transpose()).flatten())}`,
    );
  });
}

const PROGRAM = {
  command: "deno task example:mixture",
  summary: "Fits a Gaussian mixture by Newton's method, with exact second derivatives.",
  options: {},
};

if (import.meta.main) Deno.exitCode = await runProgram(PROGRAM, Deno.args, main);
