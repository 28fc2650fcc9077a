import { grad, type Tensor, tensor } from "@cellgrad/cellgrad";
import {
  maskedMseLoss,
  mvcDecoder,
  type MvcDecoderParams,
  negLogBernoulliLoss,
} from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, floats, RUNS } from "../arbitraries.ts";
import golden from "../golden/gepc_mvc.json" with { type: "json" };
import { checkGolden } from "../golden/golden.ts";
import { assertAllZero, assertFinite, testMisuse } from "./laws.ts";

/** Two cells, three genes, embeddings of 2, a cell embedding of 4: with the batch appended. */
const inputs = fc.tuple(
  floats([2, 4], -1, 1),
  floats([2, 3, 2]),
  floats([2, 2]),
  floats([2]),
  floats([4, 2], -1, 1),
  floats([4, 2], -1, 1),
  floats([4], -1, 1),
);

const toParams = ([Wq, bq, W, Wz, bz]: Tensor[]) => ({ Wq, bq, W, Wz, bz }) as MvcDecoderParams;

Deno.test("mvcDecoder() and its losses agree with the golden vectors", () => {
  checkGolden(golden, (inputs, { arch_style, explicit_zero_prob }) => {
    const { cell_emb, gene_embs, target, mask, Wq, bq, W, Wz, bz } = inputs;
    const { pred, zeroProbs } = mvcDecoder(cell_emb, gene_embs, { Wq, bq, W, Wz, bz }, {
      archStyle: arch_style,
      explicitZeroProb: explicit_zero_prob,
    });
    const mse = maskedMseLoss(pred, target, mask);
    return zeroProbs ? mse.add(negLogBernoulliLoss(zeroProbs, target, mask)) : mse;
  });
});

Deno.test("mvcDecoder() computes each gene from its own embedding and cell", () => {
  fc.assert(
    fc.property(inputs, ([cells, genes, ...rest]) => {
      const params = toParams(rest);
      const { pred, zeroProbs } = mvcDecoder(cells, genes, params, { explicitZeroProb: true });
      const [c, e] = [cells.slice(1), genes.slice([1, 2])];
      const one = mvcDecoder(c, e, params, { explicitZeroProb: true });
      assertAllClose(one.pred, pred.slice([1, 2]), { rtol: 1e-12 });
      assertAllClose(one.zeroProbs!, zeroProbs!.slice([1, 2]), { rtol: 1e-12 });
    }),
    RUNS,
  );
});

Deno.test("mvcDecoder() gives no probabilities unless asked", () => {
  const params = { Wq: [[1]], bq: [0], W: [[1]], Wz: [[1]], bz: [0] };
  assertEquals(Object.keys(mvcDecoder([[1]], [[[1]]], params)), ["pred"]);
});

Deno.test("mvcDecoder() passes no gradient to gene embeddings in the detached style", () => {
  fc.assert(
    fc.property(inputs, ([cells, genes, ...rest]) => {
      const total = (g: Tensor, Wq: Tensor) => {
        const params = { ...toParams(rest), Wq };
        return mvcDecoder(cells, g, params, { archStyle: "inner product, detach" }).pred.sum();
      };
      const plain = (Wq: Tensor) => mvcDecoder(cells, genes, { ...toParams(rest), Wq }).pred.sum();
      const [byGenes, byWq] = grad(total, { argnums: [0, 1] })(genes, rest[0]);
      assertAllZero(byGenes);
      assertAllClose(byWq, grad(plain)(rest[0]), { rtol: 1e-12 });
    }),
    RUNS,
  );
});

Deno.test("mvcDecoder() has the right first and second derivatives by every input", () => {
  fc.assert(
    fc.property(inputs, (all) => {
      checkGradients(
        (cells, genes, ...rest) => {
          const options = { explicitZeroProb: true };
          const { pred, zeroProbs } = mvcDecoder(cells!, genes!, toParams(rest), options);
          return pred.add(zeroProbs!.mul(3));
        },
        all,
        { order: 2, rtol: 1e-5 },
      );
    }),
    { ...FEW_RUNS, numRuns: 3 },
  );
});

Deno.test("mvcDecoder() is finite for embeddings of 1e4", () => {
  const params = { Wq: [[1]], bq: [0], W: [[1]], Wz: [[1]], bz: [0] };
  assertFinite((c, e) => {
    const { pred, zeroProbs } = mvcDecoder(c!, e!, params, { explicitZeroProb: true });
    return pred.sum().add(negLogBernoulliLoss(zeroProbs!, [[0, 1]], [[1, 1]]));
  }, [tensor([[1e4]]), tensor([[[1e4], [-1e4]]])]);
});

const params = { Wq: [[1]], bq: [0], W: [[1]] };

testMisuse("mvcDecoder", [
  [
    "cell embeddings that are no matrix",
    () => mvcDecoder([1], [[[1]]], params),
    TypeError,
    "Cannot compute mvcDecoder as cellEmbeddings must have the shape [cells, D]: " +
    "current shape is [1]",
  ],
  [
    "gene embeddings of other cells",
    () => mvcDecoder([[1], [2]], [[[1]]], params),
    TypeError,
    "Cannot compute mvcDecoder as geneEmbeddings must have the shape [2, genes, d]: " +
    "current shape is [1, 1, 1]",
  ],
  [
    "weights that do not fit",
    () => mvcDecoder([[1, 2]], [[[1]]], params),
    TypeError,
    "Cannot compute mvcDecoder as params.W must have the shape [2, 1]: current shape is [1, 1]",
  ],
  [
    "a parameter that is missing",
    () => mvcDecoder([[1]], [[[1]]], { Wq: [[1]], W: [[1]] } as never),
    TypeError,
    "Cannot compute mvcDecoder as params.bq must be given",
  ],
  [
    "query weights that are missing",
    () => mvcDecoder([[1]], [[[1]]], { bq: [1], W: [[1]] } as never),
    TypeError,
    "Cannot compute mvcDecoder as params.Wq must be given",
  ],
  [
    "a parameter that does not exist",
    () => mvcDecoder([[1]], [[[1]]], { ...params, bias: [1] } as never),
    TypeError,
    'Cannot compute mvcDecoder as there is no parameter "bias": ' +
    "the parameters are Wq, bq, W, Wz, bz",
  ],
  [
    "probabilities without their parameters",
    () => mvcDecoder([[1]], [[[1]]], params, { explicitZeroProb: true }),
    TypeError,
    "Cannot compute mvcDecoder as params.Wz and params.bz must be given with explicitZeroProb",
  ],
  [
    "probabilities without their bias",
    () => mvcDecoder([[1]], [[[1]]], { ...params, Wz: [[1]] }, { explicitZeroProb: true }),
    TypeError,
    "Cannot compute mvcDecoder as params.Wz and params.bz must be given with explicitZeroProb",
  ],
  [
    "probabilities without their weights",
    () => mvcDecoder([[1]], [[[1]]], { ...params, bz: [1] }, { explicitZeroProb: true }),
    TypeError,
    "Cannot compute mvcDecoder as params.Wz and params.bz must be given with explicitZeroProb",
  ],
  [
    "a style that it does not have",
    () => mvcDecoder([[1]], [[[1]]], params, { archStyle: "concat query" as never }),
    TypeError,
    "Cannot compute mvcDecoder as archStyle must be one of inner product, inner product, detach: " +
    "current value is concat query",
  ],
  [
    "an explicitZeroProb that is no boolean",
    () => mvcDecoder([[1]], [[[1]]], params, { explicitZeroProb: 1 as never }),
    TypeError,
    "Cannot compute mvcDecoder as explicitZeroProb must be true or false: current value is 1",
  ],
  [
    "an unknown option",
    () => mvcDecoder([[1]], [[[1]]], params, { detach: true } as never),
    TypeError,
    "Cannot compute mvcDecoder as there is no option detach: the options are " +
    "archStyle, explicitZeroProb",
  ],
]);
