/** The golden files of losses, and the losses as functions of what is in them. */
import { layerNorm, leakyRelu, split, stack, type Tensor } from "../../mod.ts";
import * as losses from "../../src/losses/mod.ts";
import { COUNT_FUNCTIONS } from "./count_functions.ts";
import type { GoldenFunction } from "./golden.ts";

const dense = (x: Tensor, w: Tensor, b: Tensor) => x.matmul(w.transpose()).add(b);

const crossEntropy: GoldenFunction = ({ logits, targets, weight }, { ignore_index, reduction }) =>
  losses.crossEntropyLoss(logits, targets, { weight, ignoreIndex: ignore_index, reduction });

const hmcn: GoldenFunction = ({ global_out, labels, levels, ...rest }, { input_type, beta }) => {
  const count = global_out.shape[1]!;
  const many = (name: string, length: number) =>
    Array.from({ length }, (_, l) => rest[`${name}_${l}`]!);
  const hierarchy = { levels: levels.data as Int32Array, membership: many("harray", count) };
  const { global, local } = losses.hmcnLoss(
    global_out,
    many("local", count - 1),
    labels,
    hierarchy,
    { inputType: input_type },
  );
  return global.mul(beta).add(local);
};

/** Losses of logits and targets, or of probabilities, whose parameters are called as their options. */
const byOptions =
  (loss: (x: Tensor, y: Tensor, options: Record<string, unknown>) => Tensor): GoldenFunction =>
  ({ logits, probs, targets, ...more }, params) =>
    loss(logits ?? probs!, targets!, { ...params, ...more });
/** Regions and their outlines: `make_regions.py`. */
const REGIONS: Readonly<Record<string, GoldenFunction>> = {
  asymmetric: ({ logits, targets }, { gamma_negative, gamma_positive, clip }) =>
    losses.asymmetricLoss(logits, targets, {
      gammaNegative: gamma_negative,
      gammaPositive: gamma_positive,
      clip,
    }),
  boundary: ({ logits, targets }) => losses.boundaryLoss(logits, targets),
  cl_dice: ({ logits, targets }, { iterations, smooth }) =>
    losses.clDiceLoss(logits, targets, { iterations, smooth }),
  hausdorff: ({ logits, targets }, { alpha }) => losses.hausdorffLoss(logits, targets, { alpha }),
  lovasz: ({ logits, targets }) => losses.lovaszLoss(logits, targets),
  matthews: ({ logits, targets }) => losses.matthewsLoss(logits, targets),
  poly: ({ logits, targets }, { epsilon, ignore_index, reduction }) =>
    losses.polyLoss(logits, targets, { epsilon, ignoreIndex: ignore_index, reduction }),
};

/** By the name of the file. */
export const GOLDEN_FUNCTIONS: Readonly<Record<string, GoldenFunction>> = {
  ...REGIONS,
  ...COUNT_FUNCTIONS,
  batch_mixing: ({ embeddings, batch_labels }, p) =>
    losses.batchMixingLoss(embeddings, batch_labels, {
      nNeighbors: p.n_neighbors,
      nBatches: p.n_batches,
      temperature: p.temperature,
      selection: p.selection,
    }),
  cce: ({ cell1, cell2 }, { temperature }) =>
    losses.contrastiveCellEmbeddingLoss(cell1, cell2, { temperature }),
  clustering_compactness: ({ embeddings, assignments, centroids }, p) =>
    losses.clusteringCompactnessLoss(embeddings, assignments, {
      centroids,
      separationWeight: p.separation_weight,
      minSeparation: p.min_separation,
      hingeSoftness: p.hinge_softness,
    }),
  compute_mmd: ({ features, batch_labels }) => losses.mmdLoss(features, batch_labels),
  coral: ({ x, y }) => losses.coralLoss(x, y),
  energy_distance: ({ x, y, weights_x, weights_y }, { squared, unbiased }) =>
    losses.energyDistance(x, y, {
      weightsX: weights_x,
      weightsY: weights_y,
      squared,
      unbiased,
    }),
  hsic: ({ x, y }, { bandwidths }) => losses.hsic(x, y, { bandwidths }),
  mmd_kernels: ({ features, batch_labels, weights }, options) =>
    losses.mmdLoss(features, batch_labels, { ...options, weights }),
  cross_entropy: crossEntropy,
  dab: ({ x, W, b, labels }, { lambd }) =>
    losses.domainAdversarialLoss(x, labels, {
      scale: lambd,
      discriminator: (cells) => dense(cells, W, b),
    }),
  dab_discriminator: ({ x, labels, ...p }, { lambd }) => {
    const discriminator = (cells: Tensor) => {
      const first = leakyRelu(dense(cells, p.W1!, p.b1!));
      const second = leakyRelu(
        dense(layerNorm(first, { scale: p.g1!, shift: p.h1! }), p.W2!, p.b2!),
      );
      return dense(layerNorm(second, { scale: p.g2!, shift: p.h2! }), p.Wo!, p.bo!);
    };
    return losses.domainAdversarialLoss(x, labels, { discriminator, scale: lambd });
  },
  dice: ({ logits, targets }, { smooth, per_class }) =>
    losses.diceLoss(logits, targets, { smooth, perClass: per_class }),
  differentiable_auroc: ({ predictions, labels }, { temperature }) =>
    losses.differentiableAuroc(predictions, labels, { temperature }),
  ecs: ({ cell_emb }, { threshold }) => losses.elasticCellSimilarityLoss(cell_emb, { threshold }),
  focal: ({ logits, targets, weight }, { gamma, reduction, pt_from_weighted }) =>
    losses.focalLoss(logits, targets, {
      gamma,
      weight,
      reduction,
      ptFromWeighted: pt_from_weighted,
    }),
  focal_dice: ({ logits, targets, weight }, p) =>
    losses.focalDiceLoss(logits, targets, {
      gamma: p.gamma,
      focalWeight: p.focal_weight,
      diceWeight: p.dice_weight,
      smooth: p.dice_smooth,
      weight,
      ptFromWeighted: p.pt_from_weighted,
    }),
  gene_weight_sparsity: ({ gene_weights }) => losses.geneWeightSparsityLoss(gene_weights),
  gepc_mvc: (x, { arch_style, explicit_zero_prob }) => {
    const { cell_emb, gene_embs, target, mask, Wq, bq, W, Wz, bz } = x;
    const { pred, zeroProbs } = losses.mvcDecoder(cell_emb!, gene_embs!, {
      Wq: Wq!,
      bq: bq!,
      W: W!,
      Wz: Wz!,
      bz: bz!,
    }, { archStyle: arch_style, explicitZeroProb: explicit_zero_prob });
    const mse = losses.maskedMseLoss(pred, target!, mask!);
    return zeroProbs ? mse.add(losses.negLogBernoulliLoss(zeroProbs, target!, mask!)) : mse;
  },
  hmcn_bce: hmcn,
  hmcn_scgpt: hmcn,
  masked_mse: ({ input, target, mask }) => losses.maskedMseLoss(input, target, mask),
  masked_relative_error: ({ input, target, mask }, { eps }) =>
    losses.maskedRelativeError(input, target, mask, { epsilon: eps }),
  masked_value: ({ predictions, targets, mask }, { loss_type }) =>
    losses.maskedValueLoss(predictions, targets, mask, { lossType: loss_type }),
  masked_voxel_loss: ({ logits, targets, mask, weight }, { gamma }) =>
    losses.maskedVoxelLoss(logits, targets, mask, { weight, gamma: gamma ?? undefined }),
  neg_log_bernoulli: ({ probs, target, mask }) => losses.negLogBernoulliLoss(probs, target, mask),
  negative_binomial: ({ counts, mu, theta }, { eps }) =>
    losses.negativeBinomialLoss(counts, mu, theta, { epsilon: eps }),
  scformer_total: (x, p) =>
    losses.scformerObjective(
      {
        mlmOutput: x.mlm_output!,
        clsLogits: x.cls_logits,
        mvcOutput: x.mvc_output,
        cellEmbeddings: x.cell_emb,
        cellEmbeddings2: x.cell_emb2,
      },
      { values: x.target!, mask: x.mask!, clsLabels: x.cls_labels },
      {
        cls: p.CLS,
        cce: p.CCE,
        mvc: p.MVC,
        ecs: p.ECS,
        cceWeight: p.cce_weight,
        ecsWeight: p.ecs_weight,
        ecsThreshold: p.ecs_threshold,
        temperature: p.temperature,
      },
    ).total,
  scgpt_total: (x, p) =>
    losses.scgptObjective(
      {
        mlmOutput: x.mlm_output!,
        mlmZeroProbs: x.mlm_zero_probs,
        mvcOutput: x.mvc_output,
        mvcZeroProbs: x.mvc_zero_probs,
        cellEmbeddings: x.cell_emb,
        dabLogits: x.dab_logits,
      },
      { values: x.target!, mask: x.mask!, batchLabels: x.batch_labels },
      {
        gepc: p.GEPC,
        explicitZeroProb: p.explicit_zero_prob,
        ecsThreshold: p.ecs_thres,
        ecsWeight: p.ecs_weight,
        dabWeight: p.dab_weight,
      },
    ).total,
  shannon_diversity: ({ assignments }) => losses.shannonDiversityLoss(assignments),
  simpson_diversity: ({ assignments }) => losses.simpsonDiversityLoss(assignments),
  sinkhorn: ({ x, y, weights_x, weights_y }, { epsilon, p, debias, reach }) =>
    losses.sinkhornDivergence(x!, y!, {
      epsilon,
      p,
      debias,
      reach: reach ?? undefined,
      weightsX: weights_x,
      weightsY: weights_y,
      iterations: x!.dtype === "float32" ? 500 : 2000,
      tolerance: 1e-13,
    }),
  tversky: ({ logits, targets }, { alpha, beta, smooth }) =>
    losses.tverskyLoss(logits, targets, { alpha, beta, smooth }),
  unicell_focal: ({ logits, targets }, { alpha, gamma, reduction }) =>
    losses.unicellFocalLoss(logits, targets, { alpha, gamma, reduction }),
  vae_elbo: ({ x, x_recon, mean, logvar }, { kl_weight }) =>
    losses.vaeLoss(x, x_recon, mean, logvar, { klWeight: kl_weight }),
  velocity_consistency: ({ expression, velocity, future_expression }, p) =>
    losses.velocityConsistencyLoss(expression, velocity, future_expression, {
      dt: p.dt,
      cosineWeight: p.cosine_weight,
      magnitudeWeight: p.magnitude_weight,
    }),
  wasserstein: ({ x, y, directions }, { p }) => {
    if (directions === undefined) return losses.wasserstein1d(x!, y!, { p });
    const slices = split(directions, directions.shape[0]!).map((direction) => {
      const shadows = [x!, y!].map((cloud) => cloud.matmul(direction.reshape(-1)));
      return losses.wasserstein1d(shadows[0]!, shadows[1]!, { p }).pow(p);
    });
    return stack(slices).mean().pow(1 / p);
  },
  weighted_cross_entropy: crossEntropy,
  binary_cross_entropy: byOptions(losses.binaryCrossEntropyLoss),
  binary_cross_entropy_logits: byOptions(losses.binaryCrossEntropyWithLogitsLoss),
  dice_cross_entropy: byOptions(losses.diceCrossEntropyLoss),
  dice_options: byOptions(losses.diceLoss),
  dice_pooled: byOptions(losses.diceLoss),
  dice_squared: byOptions(losses.diceLoss),
  focal_options: byOptions(losses.focalLoss),
  focal_tversky: byOptions(losses.focalTverskyLoss),
  generalized_dice: byOptions(losses.generalizedDiceLoss),
  jaccard: byOptions(losses.jaccardLoss),
  jaccard_squared: byOptions(losses.jaccardLoss),
  soft_cross_entropy: byOptions(losses.crossEntropyLoss),
  tversky_options: byOptions(losses.tverskyLoss),
  unified_focal: byOptions(losses.unifiedFocalLoss),
  zinb_nll: ({ counts, log_rate, log_theta, pi_logit }) =>
    losses.zinbLoss(counts, log_rate, log_theta, pi_logit, { zeroIndicator: "soft" }),
  arc_face: ({ embeddings, weights, labels }, { margin, scale }) =>
    losses.arcFaceLoss(embeddings, weights, labels, { margin, scale }),
  barlow_twins: ({ a, b }, { lambd }) => losses.barlowTwinsLoss(a, b, { lambda: lambd }),
  center: ({ embeddings, labels, centers }) => losses.centerLoss(embeddings, labels, centers),
  cos_face: ({ embeddings, weights, labels }, { margin, scale }) =>
    losses.cosFaceLoss(embeddings, weights, labels, { margin, scale }),
  nt_xent: ({ a, b }, { temperature }) => losses.ntXentLoss(a, b, { temperature }),
  proxy_anchor: ({ embeddings, proxies, labels }, { margin, alpha }) =>
    losses.proxyAnchorLoss(embeddings, proxies, labels, { margin, alpha }),
  supervised_contrastive: ({ embeddings, labels }, { temperature }) =>
    losses.supervisedContrastiveLoss(embeddings, labels, { temperature }),
  triplet: ({ embeddings, labels }, { margin, mining }) =>
    losses.tripletLoss(embeddings, labels, { margin, mining }),
  vic_reg: ({ a, b }, { invariance, variance, covariance }) =>
    losses.vicRegLoss(a, b, { invariance, variance, covariance }),
};
