/**
 * Losses of single-cell and segmentation research: positional tensors first, then one options
 * object; all return a scalar to minimise unless they say otherwise.
 *
 * @example A classifier's loss and its gradient
 * ```ts
 * import { grad, type Tensor } from "@cellgrad/cellgrad";
 * import { crossEntropyLoss } from "@cellgrad/cellgrad/losses";
 * import { assertEquals } from "@std/assert";
 *
 * const gradient = grad((logits: Tensor) => crossEntropyLoss(logits, [1]))([[0, 0]]);
 * assertEquals(gradient.toArray(), [[0.5, -0.5]]);
 * ```
 *
 * @module
 */
export { type EmptyMask, type Reduction } from "./reduction.ts";
export { type Activation } from "./class_targets.ts";
export { type ClassOverlapOptions, type OverlapOptions } from "./overlap_options.ts";
// Losses of classification, reconstruction and segmentation.
export { asymmetricLoss, type AsymmetricOptions } from "./asymmetric.ts";
export { boundaryLoss } from "./boundary.ts";
export {
  binaryCrossEntropyLoss,
  type BinaryCrossEntropyOptions,
  binaryCrossEntropyWithLogitsLoss,
} from "./binary_cross_entropy.ts";
export {
  type ClassWeightNormalization,
  type ClassWeightOptions,
  classWeights,
} from "./class_weights.ts";
export { clDiceLoss, type ClDiceOptions } from "./cl_dice.ts";
export { type ConfiguredLoss, createLoss } from "./create_loss.ts";
export { coxLoss, type CoxOptions } from "./cox.ts";
export { crossEntropyLoss, type CrossEntropyOptions } from "./cross_entropy.ts";
export {
  type ClassDiagnosis,
  type ClassScores,
  type ClassVerdict,
  diagnoseClasses,
  type DiagnoseOptions,
} from "./diagnose_classes.ts";
export { diagnosisTable } from "./diagnosis_table.ts";
export { diceCrossEntropyLoss, type DiceCrossEntropyOptions } from "./dice_cross_entropy.ts";
export { diceLoss, type DiceOptions } from "./dice.ts";
export { differentiableAuroc, type DifferentiableAurocOptions } from "./differentiable_auroc.ts";
export { type DivergenceOptions, jensenShannonDivergence, klDivergence } from "./divergence.ts";
export { evidentialLoss, type EvidentialOptions } from "./evidential.ts";
export { focalLoss, type FocalOptions } from "./focal.ts";
export { focalDiceLoss, type FocalDiceOptions } from "./focal_dice.ts";
export { focalTverskyLoss, type FocalTverskyOptions } from "./focal_tversky.ts";
export { generalizedDiceLoss, type GeneralizedDiceOptions } from "./generalized_dice.ts";
export { jaccardLoss, type JaccardOptions } from "./jaccard.ts";
export {
  gaussianNllLoss,
  type GaussianNllOptions,
  normalKl,
  type NormalKlOptions,
} from "./gaussian.ts";
export { geneWeightSparsityLoss } from "./gene_weight_sparsity.ts";
export {
  type LossConfig,
  type LossNumbers,
  type LossRegions,
  type LossType,
} from "./loss_config.ts";
export { hausdorffLoss, type HausdorffOptions } from "./hausdorff.ts";
export { lovaszLoss, type LovaszOptions } from "./lovasz.ts";
export { maskedMseLoss, type MaskedMseOptions } from "./masked_mse.ts";
export { maskedRelativeError, type MaskedRelativeErrorOptions } from "./masked_relative_error.ts";
export { maskedValueLoss, type MaskedValueOptions } from "./masked_value.ts";
export { maskedVoxelLoss, type MaskedVoxelOptions } from "./masked_voxel.ts";
export { matthewsLoss, type MatthewsOptions } from "./matthews.ts";
export {
  type MvcDecoded,
  mvcDecoder,
  type MvcDecoderOptions,
  type MvcDecoderParams,
} from "./mvc_decoder.ts";
export { negativeBinomialLoss, type NegativeBinomialOptions } from "./negative_binomial.ts";
export {
  negativeBinomialMixtureLoss,
  type NegativeBinomialMixtureOptions,
} from "./negative_binomial_mixture.ts";
export {
  type NegativeBinomialNames,
  type NegativeBinomialParameters,
  negativeBinomialParameters,
} from "./negative_binomial_parameters.ts";
export {
  negLogBernoulliLoss,
  type NegLogBernoulliOptions,
  negLogBernoulliWithLogitsLoss,
  type NegLogBernoulliWithLogitsOptions,
} from "./neg_log_bernoulli.ts";
export { polyLoss, type PolyOptions } from "./poly.ts";
export { poissonDeviance, poissonLoss, type PoissonOptions } from "./poisson.ts";
export {
  type LossProblem,
  type LossRecommendation,
  type LossSituation,
  recommendLoss,
} from "./recommend_loss.ts";
export { huberLoss, type HuberOptions, quantileLoss, type QuantileOptions } from "./regression.ts";
export { tverskyLoss, type TverskyOptions } from "./tversky.ts";
export { unifiedFocalLoss, type UnifiedFocalOptions } from "./unified_focal.ts";
export { unicellFocalLoss, type UnicellFocalOptions } from "./unicell_focal.ts";
export { vaeLoss, type VaeOptions } from "./vae.ts";
export { zinbLoss, type ZinbOptions } from "./zinb.ts";
// Losses of cell embeddings, batches and clusters, and the objectives made of them.
export { batchMixingLoss, type BatchMixingOptions } from "./batch_mixing.ts";
export {
  clusteringCompactnessLoss,
  type ClusteringCompactnessOptions,
} from "./clustering_compactness.ts";
export {
  contrastiveCellEmbeddingLoss,
  type ContrastiveCellEmbeddingOptions,
} from "./contrastive_cell_embedding.ts";
export type { CloudWeights } from "./clouds.ts";
export { coralLoss } from "./coral.ts";
export { type DiversityOptions, shannonDiversityLoss, simpsonDiversityLoss } from "./diversity.ts";
export { domainAdversarialLoss, type DomainAdversarialOptions } from "./domain_adversarial.ts";
export {
  elasticCellSimilarityLoss,
  type ElasticCellSimilarityOptions,
} from "./elastic_cell_similarity.ts";
export { energyDistance, type EnergyDistanceOptions } from "./energy_distance.ts";
export { type Hierarchy } from "./hmcn.ts";
export { hmcnLoss, type HmcnLosses, type HmcnOptions } from "./hmcn.ts";
export { hsic, type HsicOptions } from "./hsic.ts";
export { mmdLoss, type MmdOptions } from "./mmd.ts";
export { type Objective } from "./objective.ts";
export {
  type ScanviOptions,
  type ScanviOutputs,
  type ScanviPart,
  type ScanviTargets,
} from "./scanvi_fields.ts";
export { scanviObjective } from "./scanvi_objective.ts";
export {
  scformerObjective,
  type ScformerOptions,
  type ScformerOutputs,
  type ScformerPart,
  type ScformerTargets,
} from "./scformer_objective.ts";
export {
  scgptObjective,
  type ScgptOptions,
  type ScgptOutputs,
  type ScgptPart,
  type ScgptTargets,
} from "./scgpt_objective.ts";
export { sinkhornDivergence, type SinkhornOptions } from "./sinkhorn.ts";
export {
  scviObjective,
  type ScviOptions,
  type ScviOutputs,
  type ScviPart,
} from "./scvi_objective.ts";
export { type CountLikelihood, type CountOutputs, type CountTargets } from "./scvi_parts.ts";
export {
  type SetLoss,
  type StateOptions,
  type StateOutputs,
  type StatePart,
  type StateTargets,
} from "./state_fields.ts";
export { stateObjective } from "./state_objective.ts";
export {
  velocityConsistencyLoss,
  type VelocityConsistencyOptions,
} from "./velocity_consistency.ts";
// Losses of embeddings by their labels, or of two views, as metric and self-supervised learning has them.
export { arcFaceLoss, type ArcFaceOptions, cosFaceLoss, type CosFaceOptions } from "./arc_face.ts";
export { barlowTwinsLoss, type BarlowTwinsOptions } from "./barlow_twins.ts";
export { centerLoss } from "./center.ts";
export { ntXentLoss, type NtXentOptions } from "./nt_xent.ts";
export { proxyAnchorLoss, type ProxyAnchorOptions } from "./proxy_anchor.ts";
export {
  supervisedContrastiveLoss,
  type SupervisedContrastiveOptions,
} from "./supervised_contrastive.ts";
export { tripletLoss, type TripletOptions } from "./triplet.ts";
export { vicRegLoss, type VicRegOptions } from "./vic_reg.ts";
export {
  slicedWasserstein,
  type SlicedWassersteinOptions,
  wasserstein1d,
  type Wasserstein1dOptions,
} from "./wasserstein.ts";
