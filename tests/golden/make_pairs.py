"""Golden vectors of losses of all pairs of points, in float64: from the papers' formulas by PyTorch.

    python3 tests/golden/make_pairs.py
"""

import json
import pathlib

import torch

HERE = pathlib.Path(__file__).parent
torch.set_default_dtype(torch.float64)
torch.manual_seed(20250)


def squares(x, y):
    return ((x[:, None] - y) ** 2).sum(-1)


def distances(x, y):
    s = squares(x, y)
    same = s == 0
    return torch.where(same, torch.zeros(()), torch.where(same, torch.ones(()), s).sqrt())


def energy_distance(x, y, weights_x=None, weights_y=None, squared=True, unbiased=False):
    w = torch.ones(len(x)) if weights_x is None else weights_x
    v = torch.ones(len(y)) if weights_y is None else weights_y
    w, v = w / w.sum(), v / v.sum()

    def within(x, w):
        mean = w @ distances(x, x) @ w
        return mean / (1 - (w**2).sum()) if unbiased else mean

    value = 2 * (w @ distances(x, y) @ v) - within(x, w) - within(y, v)
    return value if squared else value.sqrt()


def kernel_of(kernel, x, y, bandwidths):
    if kernel == "energy":
        return -distances(x, y)
    forms = {
        "rbf": lambda s: torch.exp(-squares(x, y) / (2 * s**2)),
        "laplacian": lambda s: torch.exp(-distances(x, y) / s),
        "rationalQuadratic": lambda s: 1 / (1 + squares(x, y) / (2 * s**2)),
    }
    return sum(forms[kernel](s) for s in bandwidths) / len(bandwidths)


def mmd(features, batch_labels, weights=None, kernel="rbf", bandwidths=(1, 2, 4, 8, 16), unbiased=False):
    if bandwidths == "median":
        pairs = torch.triu_indices(len(features), len(features), 1)
        bandwidths = [distances(features, features)[pairs[0], pairs[1]].detach().quantile(0.5)]
    w = torch.ones(len(features)) if weights is None else weights

    def mean(i, j):
        at = [batch_labels == i, batch_labels == j]
        k = kernel_of(kernel, features[at[0]], features[at[1]], bandwidths)
        shares = [w[m] / w[m].sum() for m in at]
        if i == j and unbiased:
            others = torch.outer(*shares) * (1 - torch.eye(len(k)))
            return (others * k).sum() / others.sum()
        return shares[0] @ k @ shares[1]

    found = sorted(set(batch_labels.tolist()))
    pairs = [(i, j) for i in found for j in found if i < j]
    return sum(mean(i, i) + mean(j, j) - 2 * mean(i, j) for i, j in pairs) / len(pairs)


def coral(x, y):
    return ((torch.cov(x.T, correction=1) - torch.cov(y.T, correction=1)) ** 2).sum() / (4 * x.shape[1] ** 2)


def hsic(x, y, bandwidths=(1, 2, 4, 8, 16)):
    n = len(x)
    centre = torch.eye(n) - 1 / n
    k, l = (kernel_of("rbf", z, z, bandwidths) for z in (x, y))
    return torch.trace(k @ centre @ l @ centre) / (n - 1) ** 2


def array(x):
    dtype = "i32" if x.dtype == torch.int32 else "f64"
    return {"shape": list(x.shape), "dtype": dtype, "data": x.flatten().tolist()}


def case(f, name, inputs, **params):
    floating = {k: v.clone().requires_grad_() for k, v in inputs.items() if v.is_floating_point()}
    value = f(**{**inputs, **floating}, **params)
    grads = torch.autograd.grad(value, list(floating.values()))
    return {
        "id": name,
        "inputs": {k: array(v) for k, v in inputs.items()},
        "params": params,
        "value": value.item(),
        "grads": {k: array(g) for k, g in zip(floating, grads)},
    }


def write(name, source, cases):
    text = json.dumps({"loss": name, "source": source, "cases": cases}, indent=1, allow_nan=False)
    (HERE / f"{name}.json").write_text(text + "\n")


def points(*shape):
    return torch.randn(*shape)


labels = torch.tensor([0, 1, 0, 2, 1, 0, 2, 1, 1], dtype=torch.int32)
cloud = {"x": points(6, 3), "y": points(4, 3) + 0.5}
weighted = {**cloud, "weights_x": torch.rand(6) + 0.1, "weights_y": torch.rand(4) + 0.1}
touching = {"x": points(5, 2)}
touching["y"] = torch.cat([touching["x"][:2], points(3, 2)])
write(
    "energy_distance",
    "Szekely & Rizzo 2013",
    [
        case(energy_distance, "plain", cloud),
        case(energy_distance, "weighted", weighted),
        case(energy_distance, "unbiased", weighted, unbiased=True),
        case(energy_distance, "root", weighted, squared=False),
        case(energy_distance, "common_points", touching),
        case(energy_distance, "one_point", {"x": points(1, 2), "y": points(3, 2)}),
    ],
)
cells = {"features": points(9, 3), "batch_labels": labels}
counted = {**cells, "weights": torch.rand(9) + 0.1}
write(
    "mmd_kernels",
    "Gretton et al. 2012; kernels of geomloss and of Binkowski et al. 2018",
    [
        *(case(mmd, f"{k}_plain", cells, kernel=k) for k in ("rbf", "laplacian", "rationalQuadratic")),
        case(mmd, "energy_plain", cells, kernel="energy"),
        *(
            case(mmd, f"{k}_weighted_unbiased", counted, kernel=k, bandwidths=[0.5, 3], unbiased=True)
            for k in ("rbf", "laplacian", "rationalQuadratic")
        ),
        case(mmd, "energy_weighted_unbiased", counted, kernel="energy", unbiased=True),
        case(mmd, "rbf_unbiased", cells, kernel="rbf", unbiased=True),
        *(
            case(mmd, f"{k}_median", cells, kernel=k, bandwidths="median")
            for k in ("rbf", "laplacian", "rationalQuadratic")
        ),
        case(
            mmd,
            "rbf_median_of_an_odd_number",
            {"features": points(7, 2), "batch_labels": labels[:7]},
            kernel="rbf",
            bandwidths="median",
        ),
    ],
)
write(
    "coral",
    "Sun & Saenko 2016, arXiv:1607.01719",
    [
        case(coral, "plain", cloud),
        case(coral, "one_feature", {"x": points(3, 1), "y": 2 * points(5, 1)}),
        case(coral, "more_features_than_points", {"x": points(3, 5), "y": points(2, 5)}),
    ],
)
write(
    "hsic",
    "Gretton et al. 2005",
    [
        case(hsic, "plain", {"x": points(7, 3), "y": points(7, 2)}),
        case(hsic, "one_bandwidth", {"x": points(5, 1), "y": points(5, 1)}, bandwidths=[0.7]),
        case(hsic, "dependent", {"x": touching["x"], "y": touching["x"] ** 2}, bandwidths=[1, 2]),
    ],
)
