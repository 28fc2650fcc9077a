/** The golden files that make_counts.py makes, and the losses as functions of what is in them. */
import * as losses from "../../src/losses/mod.ts";
import type { GoldenFunction } from "./golden.ts";

type Inputs = Parameters<GoldenFunction>[0];

const countOutputs = (x: Inputs) => ({
  logRate: x.log_rate!,
  logTheta: x.log_theta,
  dropoutLogits: x.dropout_logits,
  libraryMean: x.library_mean,
  libraryLogVariance: x.library_log_variance,
});

const countTargets = (x: Inputs) => ({
  counts: x.counts!,
  batchLabels: x.batch_labels,
  libraryPriorMean: x.library_prior_mean,
  libraryPriorVariance: x.library_prior_variance,
});

/** By the name of the file. */
export const COUNT_FUNCTIONS: Readonly<Record<string, GoldenFunction>> = {
  cox: ({ log_hazard, times, events }, { reduction }) =>
    losses.coxLoss(log_hazard, times, events, { reduction }),
  evidential: ({ target, gamma, nu, alpha, beta }, { lam, reduction }) =>
    losses.evidentialLoss(target, gamma, nu, alpha, beta, { lambda: lam, reduction }),
  gaussian_nll: ({ mean, target, variance }, { reduction }) =>
    losses.gaussianNllLoss(mean, target, variance, { reduction }),
  huber: ({ input, target }, { delta, reduction }) =>
    losses.huberLoss(input, target, { delta, reduction }),
  jensen_shannon: ({ p, q }, { reduction }) => losses.jensenShannonDivergence(p, q, { reduction }),
  kl_divergence: ({ p, q }, { reduction }) => losses.klDivergence(p, q, { reduction }),
  negative_binomial_mixture: (x, { reduction }) =>
    losses.negativeBinomialMixtureLoss(
      x.counts!,
      x.mu1!,
      x.mu2!,
      x.theta1!,
      x.mixture_logits!,
      { theta2: x.theta2, reduction },
    ),
  normal_kl: ({ mean, log_variance }, { reduction }) =>
    losses.normalKl(mean, log_variance, { reduction }),
  poisson: ({ log_rate, counts }, { reduction }) =>
    losses.poissonLoss(log_rate, counts, { reduction }),
  poisson_deviance: ({ mu, counts }, { reduction }) =>
    losses.poissonDeviance(mu, counts, { reduction }),
  quantile: ({ input, target }, { quantile, reduction }) =>
    losses.quantileLoss(input, target, { quantile, reduction }),
  scanvi_objective: (x, { likelihood, kl_weight, ratio, condition }) =>
    losses.scanviObjective(
      {
        ...countOutputs(x),
        z1: x.z1!,
        mean: x.mean!,
        logVariance: x.log_variance!,
        z2Mean: x.z2_mean!,
        z2LogVariance: x.z2_log_variance!,
        priorMean: x.prior_mean!,
        priorLogVariance: x.prior_log_variance!,
        classLogits: x.class_logits!,
        classificationLogits: x.classification_logits,
      },
      { ...countTargets(x), labels: x.labels, labelPrior: x.label_prior },
      {
        likelihood,
        klWeight: kl_weight,
        classificationRatio: ratio,
        conditionOnLabels: condition,
      },
    ).total,
  scvi_objective: (x, { likelihood, kl_weight }) =>
    losses.scviObjective(
      { ...countOutputs(x), mean: x.mean!, logVariance: x.log_variance! },
      countTargets(x),
      { likelihood, klWeight: kl_weight },
    ).total,
  state_objective: (x, { distance, confidence_scale }) =>
    losses.stateObjective(
      {
        cells: x.cells!,
        expression: x.expression,
        batchLogits: x.batch_logits,
        confidence: x.confidence,
      },
      {
        cells: x.observed!,
        expression: x.observed_expression,
        batchLabels: x.batch_labels,
        controls: x.controls,
      },
      { distance, confidenceScale: confidence_scale, changeWeight: 0.5 },
    ).total,
};
