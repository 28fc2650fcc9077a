"""Golden vectors of losses of regression, counts, survival and divergence, and of the objectives of
scVI, scANVI and State: the papers' formulas in float64, with gradients, by PyTorch 1.13.

    /usr/bin/python3 tests/golden/make_counts.py
"""

import json
import math
import pathlib

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
FOLDER = pathlib.Path(__file__).parent
EPSILON = 1e-8


def normal(*shape):
    return torch.randn(shape, generator=GENERATOR)


def positive(*shape):
    return normal(*shape).exp()


def counts(*shape, rate=4.0):
    return torch.poisson(torch.full(shape, rate), generator=GENERATOR)


def shares(*shape):
    return normal(*shape).softmax(-1)


def reduced(losses, reduction):
    return losses.sum() if reduction == "sum" else losses.mean()


def array(x):
    dtype = "i32" if not x.is_floating_point() else "f64"
    return {"shape": list(x.shape), "dtype": dtype, "data": x.flatten().tolist()}


def case(name, loss, moving, fixed=None, params=None):
    """The value at the inputs, and the gradients by those that move."""
    fixed, params = fixed or {}, params or {}
    moving = {key: x.clone().requires_grad_() for key, x in moving.items()}
    value = loss(**moving, **fixed, **params)
    grads = torch.autograd.grad(value, list(moving.values()), allow_unused=True)
    found = {k: torch.zeros_like(x) if g is None else g for (k, x), g in zip(moving.items(), grads)}
    return {
        "id": name,
        "inputs": {key: array(x.detach()) for key, x in {**moving, **fixed}.items()},
        "params": params,
        "value": value.item(),
        "grads": {key: array(g) for key, g in found.items()},
    }


def write(name, source, cases):
    text = ",\n".join(json.dumps(c) for c in cases)
    head = json.dumps({"loss": name, "source": source})[:-1]
    (FOLDER / f"{name}.json").write_text(f'{head}, "cases": [\n{text}\n]}}\n')


def huber(input, target, delta, reduction):
    return F.huber_loss(input, target, delta=delta, reduction=reduction)


def quantile(input, target, quantile, reduction):
    error = target - input
    return reduced(torch.where(error > 0, quantile * error, (quantile - 1) * error), reduction)


def gaussian_nll(mean, target, variance, reduction):
    return F.gaussian_nll_loss(mean, target, variance.expand(mean.shape), eps=0, reduction=reduction)


def poisson(log_rate, counts, reduction):
    return F.poisson_nll_loss(log_rate, counts, reduction=reduction)


def poisson_deviance(mu, counts, reduction):
    return reduced(2 * (torch.xlogy(counts, counts) - torch.xlogy(counts, mu) - counts + mu), reduction)


def cox(log_hazard, times, events, reduction):
    terms = [
        torch.logsumexp(log_hazard[times >= t], 0) - h
        for h, t, event in zip(log_hazard, times, events) if event
    ]
    total = sum(terms, log_hazard.sum() * 0)
    return total if reduction == "sum" else total / max(len(terms), 1)


def kl_rows(p, q):
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).sum(-1)


def kl(p, q, reduction):
    return reduced(kl_rows(p, q), reduction)


def jensen_shannon(p, q, reduction):
    middle = (p + q) / 2
    return reduced((kl_rows(p, middle) + kl_rows(q, middle)) / 2, reduction)


def normal_kl_rows(mean, log_variance):
    return -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum(-1)


def normal_kl(mean, log_variance, reduction):
    return reduced(normal_kl_rows(mean, log_variance), reduction)


def log_nb(x, mu, theta):
    both = (theta + mu + EPSILON).log()
    return (
        theta * ((theta + EPSILON).log() - both) + x * ((mu + EPSILON).log() - both)
        + torch.lgamma(x + theta) - torch.lgamma(theta) - torch.lgamma(x + 1)
    )


def log_zinb(x, mu, theta, logits):
    drawn = log_nb(x, mu, theta)
    zero = torch.logaddexp(F.logsigmoid(logits), F.logsigmoid(-logits) + drawn)
    return torch.where(x == 0, zero, F.logsigmoid(-logits) + drawn)


def mixture(counts, mu1, mu2, theta1, mixture_logits, theta2=None, reduction="mean"):
    first = log_nb(counts, mu1, theta1) + F.logsigmoid(mixture_logits)
    second = log_nb(counts, mu2, theta1 if theta2 is None else theta2) + F.logsigmoid(-mixture_logits)
    return reduced(-torch.logaddexp(first, second), reduction)


def evidential(target, gamma, nu, alpha, beta, lam, reduction):
    omega = 2 * beta * (1 + nu)
    nll = (
        0.5 * (math.pi / nu).log() - alpha * omega.log()
        + (alpha + 0.5) * ((target - gamma) ** 2 * nu + omega).log()
        + torch.lgamma(alpha) - torch.lgamma(alpha + 0.5)
    )
    return reduced(nll + lam * (target - gamma).abs() * (2 * nu + alpha), reduction)


def reconstruction(x, log_rate, log_theta, dropout_logits, likelihood):
    mu = log_rate.exp()
    if likelihood == "poisson":
        return (mu - x * log_rate + torch.lgamma(x + 1)).sum(-1)
    if likelihood == "nb":
        return -log_nb(x, mu, log_theta.exp()).sum(-1)
    return -log_zinb(x, mu, log_theta.exp(), dropout_logits).sum(-1)


def gaussian_kl(mean, log_variance, prior_mean, prior_variance):
    one = torch.distributions.Normal(mean, (log_variance / 2).exp())
    return torch.distributions.kl_divergence(
        one, torch.distributions.Normal(prior_mean, prior_variance.sqrt())
    )


def library(f):
    if "library_mean" not in f:
        return 0.0
    batches = f["batch_labels"].long()
    return gaussian_kl(
        f["library_mean"], f["library_log_variance"],
        f["library_prior_mean"][batches], f["library_prior_variance"][batches],
    )


def scvi(likelihood, kl_weight, **f):
    rec = reconstruction(
        f["counts"], f["log_rate"], f.get("log_theta"), f.get("dropout_logits"), likelihood
    )
    return (rec + kl_weight * normal_kl_rows(f["mean"], f["log_variance"]) + library(f)).mean()


def log_normal(z, mean, log_variance):
    return torch.distributions.Normal(mean, (log_variance / 2).exp()).log_prob(z).sum(-1)


def scanvi(likelihood, kl_weight, ratio, condition, **f):
    rec = reconstruction(
        f["counts"], f["log_rate"], f.get("log_theta"), f.get("dropout_logits"), likelihood
    )
    p = f["class_logits"].softmax(-1)
    types = p.shape[1]
    prior = f.get("label_prior", torch.full((types,), 1 / types))
    kl_types = kl_rows(p, prior.expand(p.shape))
    if condition:
        known = f["labels"] >= 0
        own = F.one_hot(f["labels"].clamp(min=0).long(), types).to(p.dtype)
        p = torch.where(known[:, None], own, p)
        kl_types = torch.where(known, torch.zeros_like(kl_types), kl_types)
    by_type = -log_normal(f["z1"], f["prior_mean"], f["prior_log_variance"])
    z1 = log_normal(f["z1"], f["mean"], f["log_variance"]) + (p.T * by_type).sum(0)
    kl_z2 = (p.T * normal_kl_rows(f["z2_mean"], f["z2_log_variance"])).sum(0)
    total = (rec + z1 + kl_weight * (kl_z2 + kl_types + library(f))).mean()
    if "labels" in f:
        logits = f.get("classification_logits", f["class_logits"])
        total = total + ratio * F.cross_entropy(logits, f["labels"].long(), ignore_index=-1)
    return total


def half_energy(x, y):
    def within(z):
        n = len(z)
        pairs = [(z[i] - z[j]).norm() for i in range(n) for j in range(n) if i != j]
        return sum(pairs) / n**2

    return torch.cdist(x, y).mean() - 0.5 * within(x) - 0.5 * within(y)


def state(distance, confidence_scale, **f):
    def compare(x, y):
        one = half_energy if distance == "energy" else F.mse_loss
        return torch.stack([one(a, b) for a, b in zip(x, y)])

    distances = compare(f["cells"], f["observed"])
    total = distances.mean()
    if "expression" in f:
        total = total + compare(f["expression"], f["observed_expression"]).mean()
    if "batch_logits" in f:
        total = total + 0.1 * F.cross_entropy(f["batch_logits"], f["batch_labels"].long())
    if "confidence" in f:
        aim = distances.detach() * confidence_scale
        total = total + 0.01 * F.mse_loss(f["confidence"], aim)
    if "controls" in f:
        total = total + 0.5 * (f["cells"] - f["controls"]).abs().mean()
    return total


def both(*shape):
    return {"input": normal(*shape) * 2}, {"target": normal(*shape) * 2}


def main():
    global GENERATOR
    GENERATOR = torch.Generator().manual_seed(25)
    write("huber", "torch.nn.functional.huber_loss", [
        case(f"delta{d}_{r}", huber, *both(3, 4), {"delta": d, "reduction": r})
        for d, r in [(1.0, "mean"), (0.25, "sum"), (3.0, "mean")]
    ])
    write("quantile", "Koenker & Bassett 1978, the formula", [
        case(f"q{q}_{r}", quantile, *both(3, 4), {"quantile": q, "reduction": r})
        for q, r in [(0.5, "mean"), (0.9, "sum"), (0.05, "mean")]
    ])
    write("gaussian_nll", "torch.nn.functional.gaussian_nll_loss with eps=0", [
        case(f"{name}_{r}", gaussian_nll, {
            "mean": normal(3, 4), "target": normal(3, 4), "variance": variance,
        }, None, {"reduction": r})
        for name, variance, r in [
            ("own", positive(3, 4), "mean"), ("by_gene", positive(4), "sum"),
            ("small", positive(3, 4) * 1e-6, "mean"),
        ]
    ])
    write("poisson", "torch.nn.functional.poisson_nll_loss", [
        case(f"{rate}_{r}", poisson, {"log_rate": normal(3, 4)}, {"counts": counts(3, 4, rate=rate)},
             {"reduction": r})
        for rate, r in [(0.5, "mean"), (4.0, "sum"), (100.0, "mean")]
    ])
    write("poisson_deviance", "McCullagh & Nelder 1989, the formula", [
        case(f"{rate}_{r}", poisson_deviance, {"mu": positive(3, 4) * rate},
             {"counts": counts(3, 4, rate=rate)}, {"reduction": r})
        for rate, r in [(0.5, "mean"), (4.0, "sum"), (100.0, "mean")]
    ])
    write("cox", "Breslow 1974, the formula, over all pairs", [
        case(name, cox, {"log_hazard": normal(8)}, {
            "times": torch.tensor(times), "events": torch.tensor(events),
        }, {"reduction": r})
        for name, times, events, r in [
            ("no_ties", [5.0, 1, 8, 3, 2, 7, 4, 6], [1, 0, 1, 1, 0, 1, 1, 0], "mean"),
            ("ties", [2.0, 1, 2, 3, 2, 3, 1, 0.5], [1, 1, 0, 1, 1, 1, 0, 0], "sum"),
            ("one_time", [4.0] * 8, [1, 1, 0, 1, 1, 1, 0, 0], "mean"),
            ("no_event", [5.0, 1, 8, 3, 2, 7, 4, 6], [0] * 8, "mean"),
        ]
    ])
    for name, loss, source in [
        ("kl_divergence", kl, "Kullback & Leibler 1951, the formula"),
        ("jensen_shannon", jensen_shannon, "Lin 1991, the formula"),
    ]:
        certain = torch.tensor([[1.0, 0, 0], [0, 0.25, 0.75]])
        write(name, source, [
            case("rows_mean", loss, {"p": shares(3, 4), "q": shares(3, 4)}, None, {"reduction": "mean"}),
            case("rows_sum", loss, {"p": shares(2, 2, 3), "q": shares(2, 2, 3)}, None,
                 {"reduction": "sum"}),
            case("vector", loss, {"p": shares(5), "q": shares(5)}, None, {"reduction": "mean"}),
            case("zeros", loss, {"q": shares(2, 3)}, {"p": certain}, {"reduction": "mean"}),
        ])
    write("normal_kl", "Kingma & Welling 2014, the formula", [
        case(f"{'x'.join(map(str, shape))}_{r}", normal_kl, {
            "mean": normal(*shape), "log_variance": normal(*shape),
        }, None, {"reduction": r})
        for shape, r in [((3, 4), "mean"), ((2, 2, 3), "sum"), ((5,), "mean")]
    ])
    proteins = lambda: {"mu1": positive(3, 4), "mu2": positive(3, 4) * 9}
    write("negative_binomial_mixture", "scvi-tools log_mixture_nb, commit 17c34a9, in float64", [
        case("shared", mixture, {**proteins(), "theta1": positive(4), "mixture_logits": normal(3, 4)},
             {"counts": counts(3, 4)}, {"reduction": "mean"}),
        case("own", mixture, {
            **proteins(), "theta1": positive(4), "theta2": positive(4), "mixture_logits": normal(3, 4),
        }, {"counts": counts(3, 4)}, {"reduction": "sum"}),
        case("by_cell", mixture, {
            **proteins(), "theta1": positive(3, 4), "theta2": positive(3, 4), "mixture_logits": normal(4),
        }, {"counts": counts(3, 4, rate=0.5)}, {"reduction": "mean"}),
    ])
    write("evidential", "Amini et al. 2020, the formula", [
        case(name, evidential, {
            "target": normal(3, 4), "gamma": normal(3, 4), "nu": positive(3, 4),
            "alpha": alpha, "beta": positive(3, 4),
        }, None, {"lam": lam, "reduction": r})
        for name, alpha, lam, r in [
            ("usual", 1 + positive(3, 4), 1.0, "mean"), ("large", 30 * (1 + positive(3, 4)), 0.01, "sum"),
            ("small", positive(3, 4) / 4, 0.0, "mean"),
        ]
    ])
    write_scvi()
    write_scanvi()
    write_state()


def decoder(cells=3, genes=4, by_cell=False):
    return {
        "log_rate": normal(cells, genes) + 1,
        "log_theta": normal(cells, genes) if by_cell else normal(genes),
        "dropout_logits": normal(cells, genes),
    }


def latent_library(cells=3):
    return {"library_mean": normal(cells) + 6, "library_log_variance": normal(cells)}, {
        "library_prior_mean": normal(2) + 6, "library_prior_variance": positive(2),
        "batch_labels": torch.tensor([0, 1, 1], dtype=torch.int32),
    }


def write_scvi():
    cases = []
    for name, likelihood, weight, by_cell in [
        ("zinb", "zinb", 1.0, False), ("nb_warmup", "nb", 0.25, True), ("poisson", "poisson", 1.0, False),
        ("library", "zinb", 0.5, False),
    ]:
        moving = {**decoder(by_cell=by_cell), "mean": normal(3, 2), "log_variance": normal(3, 2)}
        fixed = {"counts": counts(3, 4, rate=2.0)}
        if name == "library":
            own, prior = latent_library()
            moving, fixed = {**moving, **own}, {**fixed, **prior}
        params = {"likelihood": likelihood, "kl_weight": weight}
        cases.append(case(name, scvi, moving, fixed, params))
    write("scvi_objective", "scvi-tools VAE.loss, commit 0094950, in float64", cases)


def write_scanvi():
    cases = []
    for name, likelihood, weight, condition in [
        ("unlabelled", "zinb", 1.0, False), ("labelled", "nb", 0.5, False),
        ("library", "zinb", 0.5, False), ("conditioned", "poisson", 1.0, True),
    ]:
        moving = {
            **decoder(), "z1": normal(3, 2), "mean": normal(3, 2), "log_variance": normal(3, 2),
            "z2_mean": normal(2, 3, 3), "z2_log_variance": normal(2, 3, 3),
            "prior_mean": normal(2, 3, 2), "prior_log_variance": normal(2, 3, 2),
            "class_logits": normal(3, 2),
        }
        fixed = {"counts": counts(3, 4, rate=2.0)}
        if name != "unlabelled":
            fixed["labels"] = torch.tensor([1, -1, 0], dtype=torch.int32)
        if name == "labelled":
            moving["classification_logits"] = normal(3, 2)
        if name == "library":
            own, prior = latent_library()
            moving, fixed = {**moving, **own}, {**fixed, **prior, "label_prior": shares(2)}
        params = {"likelihood": likelihood, "kl_weight": weight, "ratio": 50.0, "condition": condition}
        cases.append(case(name, scanvi, moving, fixed, params))
    write("scanvi_objective", "scvi-tools SCANVAE.loss, commit 09d2f78, in float64", cases)


def write_state():
    cases = []
    for name, distance, scale in [
        ("energy", "energy", 10.0), ("mse", "mse", 10.0), ("all", "energy", 2.0),
    ]:
        observed = 4 if distance == "mse" else 5
        moving = {"cells": normal(2, 4, 3)}
        fixed = {"observed": normal(2, observed, 3) + 0.5}
        if name == "all":
            moving |= {
                "expression": normal(2, 4, 2), "batch_logits": normal(2, 3), "confidence": positive(2),
            }
            fixed |= {
                "observed_expression": normal(2, 5, 2), "controls": normal(2, 4, 3),
                "batch_labels": torch.tensor([2, 0], dtype=torch.int32),
            }
        cases.append(case(name, state, moving, fixed, {"distance": distance, "confidence_scale": scale}))
    write("state_objective", "ArcInstitute/state training_step, commit 072a886, in float64", cases)


main()
