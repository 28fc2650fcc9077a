"""Reference values for preprocessing: scanpy's formulas, written out with NumPy, SciPy and pandas.

Run as `/usr/bin/python3 tests/data/make_preprocess_fixture.py > tests/data/preprocess.json` (made with
NumPy 1.24, SciPy 1.10 and pandas 1.5). Each function executes what the function of scanpy 1.11 does that
it is named after; loess is evaluated as scikit-misc's default does (a cell of 0.2, interpolation), from
its description in "Computational methods for local regression" (Cleveland and Grosse 1991).
"""

import json

import numpy as np
import pandas as pd

CELLS, GENES = 60, 80
rng = np.random.default_rng(17)
scale = rng.gamma(2, 1.5, GENES) * rng.gamma(20, 0.05, (CELLS, 1))
counts = rng.poisson(scale * rng.gamma(2, 0.5, (CELLS, GENES))).astype(float)
counts[:, 3] = 0
counts[:, 4] = 2
counts[:, 9] *= 5
batch = np.arange(CELLS) % 3
counts[batch == 1, 11] = 0
x = counts.copy()
totals = x.sum(1)
logged = np.log1p(x / totals[:, None] * 1e4)


def moments(values):
    return values.mean(axis=0), values.var(axis=0, ddof=1)


def mad(a):
    a = np.asarray(a)
    return np.median(np.abs(a - np.median(a))) / 0.6744897501960817


LIMITS = {"minMean": 0.0125, "maxMean": 3.0, "minDispersion": 0.5}


def in_bounds(mean, norm, limits):
    return (
        (mean > limits["minMean"]) & (mean < limits["maxMean"]) & (norm > limits["minDispersion"])
    )


def single_batch(values, flavor, top, limits, bins=20):
    if flavor == "seurat":
        values = np.expm1(values)
    mean, var = moments(values)
    mean[mean == 0] = 1e-12
    dispersion = var / mean
    if flavor == "seurat":
        # Rounding gives a constant gene a variance of about 1e-30; scanpy's is 0 only sometimes.
        dispersion[dispersion < 1e-20] = np.nan
        dispersion = np.log(dispersion)
        mean = np.log1p(mean)
    df = pd.DataFrame({"means": mean, "dispersions": dispersion})
    edges = bins
    if flavor == "cell_ranger":
        edges = np.r_[-np.inf, np.percentile(mean, np.arange(10, 105, 5)), np.inf]
    df["bin"] = pd.cut(df["means"], bins=edges)
    grouped = df.groupby("bin", observed=True)["dispersions"]
    if flavor == "seurat":
        stats = grouped.agg(["mean", "std"]).set_axis(["avg", "dev"], axis=1)
        one = stats["dev"].isnull()
        stats.loc[one, "dev"] = stats.loc[one, "avg"]
        stats.loc[one, "avg"] = 0
    else:
        stats = pd.DataFrame({"avg": grouped.median(), "dev": grouped.agg(mad)})
    stats = stats.loc[df["bin"]].set_index(df.index)
    df["norm"] = (df["dispersions"] - stats["avg"]) / stats["dev"]
    norm = df["norm"].to_numpy()
    if top is None:
        df["chosen"] = in_bounds(mean, np.nan_to_num(norm), limits)
    else:
        valid = np.sort(norm[~np.isnan(norm)])[::-1]
        df["chosen"] = np.nan_to_num(norm, nan=-np.inf) >= valid[min(top, len(valid)) - 1]
    return df.drop(columns="bin")


def batched(values, flavor, top, limits):
    dfs = []
    for b in np.unique(batch):
        part = values[batch == b]
        keep = (part > 0).sum(0) >= 1
        df = single_batch(part[:, keep], flavor, top, limits)
        df.index = np.flatnonzero(keep)
        missing = pd.DataFrame(0.0, index=np.flatnonzero(~keep), columns=df.columns)
        missing["chosen"] = False
        dfs.append(pd.concat([df, missing]))
    df = pd.concat(dfs)
    df["chosen"] = df["chosen"].astype(int)
    df = df.groupby(level=0).agg(
        {"means": "mean", "dispersions": "mean", "norm": "mean", "chosen": "sum"}
    )
    df["nBatches"] = df["chosen"]
    if top is None:
        df["norm"] = df["norm"].fillna(0)
        df["chosen"] = in_bounds(df["means"], df["norm"], limits)
    else:
        order = df.sort_values(["nBatches", "norm"], ascending=False, kind="stable").index
        df["chosen"] = df.index.isin(order[:top])
    return df


def loess(x, y, span):
    n = len(x)
    neighbours = min(n, int(np.floor(n * span + 1e-5)))
    most = int(np.floor(n * (span * 0.2)))
    xs = np.sort(x)
    margin = 0.005 * max(xs[-1] - xs[0], 1e-10 * np.abs(xs).max() + 1e-30)
    vertices = [xs[0] - margin, xs[-1] + margin]
    cells = [(1, n, vertices[0], vertices[1])]
    while cells:
        l, u, low, high = cells.pop()
        if u - l + 1 <= most:
            continue
        m, offset = (l + u) // 2, 0
        while l <= m + offset < u:
            if xs[m + offset - 1] != xs[m + offset]:
                m += offset
                break
            offset = -offset
            if offset >= 0:
                offset += 1
        cut = xs[m - 1]
        if cut in (low, high):
            continue
        vertices.append(cut)
        cells += [(l, m, low, cut), (m + 1, u, cut, high)]
    vertices = np.sort(vertices)
    value, slope = [], []
    for v in vertices:
        near = np.argsort((x - v) ** 2, kind="stable")[:neighbours]
        radius = np.abs(x[near[-1]] - v)
        w = np.sqrt((1 - (np.abs(x[near] - v) / radius) ** 3) ** 3)
        design = w[:, None] * np.vander(x[near] - v, 3, increasing=True)
        scale = np.linalg.norm(design, axis=0)
        beta = np.linalg.lstsq(design / scale, w * y[near], rcond=100 * 2.0**-52)[0] / scale
        value.append(beta[0])
        slope.append(beta[1])
    right = np.clip(np.searchsorted(vertices, x, side="left"), 1, len(vertices) - 1)
    left = right - 1
    width = vertices[right] - vertices[left]
    h = (x - vertices[left]) / width
    value, slope = np.array(value), np.array(slope)
    return (
        (1 - h) ** 2 * (1 + 2 * h) * value[left]
        + h**2 * (3 - 2 * h) * value[right]
        + (h * (1 - h) ** 2 * slope[left] + h**2 * (h - 1) * slope[right]) * width
    )


def seurat_v3(values, batches, top, span=0.3):
    means, variances = moments(values)
    norms = []
    for b in np.unique(batches):
        part = values[batches == b]
        mean, var = moments(part)
        varies = var > 1e-20
        fitted = np.zeros(GENES)
        fitted[varies] = loess(np.log10(mean[varies]), np.log10(var[varies]), span)
        std = np.sqrt(10**fitted)
        n = len(part)
        clipped = np.minimum(part, std * np.sqrt(n) + mean)
        norms.append(
            (n * mean**2 + (clipped**2).sum(0) - 2 * clipped.sum(0) * mean) / ((n - 1) * std**2)
        )
    norms = np.array(norms)
    ranked = np.argsort(np.argsort(-norms, axis=1, kind="stable"), axis=1).astype(float)
    n_batches = (ranked < top).sum(0)
    ranked[ranked >= top] = np.nan
    ranks = np.ma.median(np.ma.masked_invalid(ranked), axis=0).filled(np.nan)
    df = pd.DataFrame({"rank": ranks, "n": n_batches})
    order = df.sort_values(["rank", "n"], ascending=[True, False], na_position="last").index[:top]
    return {
        "means": means,
        "variances": variances,
        "variancesNorm": norms.mean(0),
        "ranks": ranks,
        "nBatches": n_batches,
        "indices": np.sort(order),
    }


def pearson(values, theta, clip):
    mu = values.sum(1, keepdims=True) @ values.sum(0, keepdims=True) / values.sum()
    with np.errstate(invalid="ignore"):
        residuals = np.nan_to_num((values - mu) / np.sqrt(mu + mu**2 / theta))
    return np.clip(residuals, -clip, clip)


def scaled(values, zero_center, most):
    mean, var = moments(values)
    std = np.sqrt(var)
    std[std < 1e-12] = 1
    if zero_center:
        return np.clip((values - mean) / std, -most, most)
    return np.minimum(values / std, most)


def plain(value):
    if isinstance(value, np.ndarray):
        if value.dtype == bool:
            return np.flatnonzero(value).tolist()
        if value.ndim > 1:
            return [plain(row) for row in value]
        return [None if np.isnan(v) else float(v) for v in value]
    return value


def by_dispersion(df):
    out = {
        "means": df["means"].to_numpy(),
        "dispersions": df["dispersions"].to_numpy(),
        "dispersionsNorm": df["norm"].to_numpy(),
        "indices": df["chosen"].to_numpy().astype(bool),
    }
    if "nBatches" in df:
        out["nBatches"] = df["nBatches"].to_numpy()
    return out


cases = []
for flavor in ["seurat", "cell_ranger"]:
    for top in [None, 15]:
        for limits in [LIMITS, {"minMean": 0.5, "maxMean": 5.5, "minDispersion": -0.2}]:
            if top is not None and limits is not LIMITS:
                continue
            chosen = {} if limits is LIMITS else limits
            options = {"flavor": flavor, **chosen, **({} if top is None else {"top": top})}
            cases.append(
                {"options": options, **by_dispersion(single_batch(logged, flavor, top, limits))}
            )
            cases.append(
                {
                    "options": {**options, "batchKey": batch.tolist()},
                    **by_dispersion(batched(logged, flavor, top, limits)),
                }
            )
none = np.zeros(CELLS, int)
for options, found in [
    ({"top": 12}, seurat_v3(counts, none, 12)),
    ({"top": 12, "span": 0.6}, seurat_v3(counts, none, 12, 0.6)),
    ({}, seurat_v3(counts, none, 2000)),
    ({"top": 12, "batchKey": batch.tolist()}, seurat_v3(counts, batch, 12)),
]:
    cases.append({"options": {"flavor": "seurat_v3", **options}, **found})
rows = slice(0, 8)
print(
    json.dumps(
        {
            "counts": counts.astype(int).tolist(),
            "highlyVariableGenes": [{k: plain(v) for k, v in case.items()} for case in cases],
            "pearsonResiduals": [
                {"options": o, "values": plain(pearson(counts, *v)[rows])}
                for o, v in [
                    ({}, (100, np.sqrt(CELLS))),
                    ({"theta": 10, "clip": 1.5}, (10, 1.5)),
                ]
            ],
            "scale": [
                {"options": {"zeroCenter": z, "maxValue": m}, "values": plain(scaled(logged, z, m)[rows])}
                for z, m in [(True, 2), (False, 3)]
            ],
        },
    )
)
