"""Reference values for highlyVariableGenes: scanpy's Seurat flavour, written out with pandas.

Run as `python3 tests/data/make_hvg_fixture.py > tests/data/hvg.json` with NumPy and pandas
(made with NumPy 1.24 and pandas 1.5). The statements are those that
scanpy.pp.highly_variable_genes(flavor="seurat", n_top_genes=6, n_bins=5) executes.
"""

import json

import numpy as np
import pandas as pd

CELLS, GENES, TOP, BINS = 25, 24, 6, 5

i, j = np.meshgrid(np.arange(CELLS), np.arange(GENES), indexing="ij")
counts = (37 * i + 101 * j + 13 * i * j) % 97 // (1 + 5 * (j % 7))
counts[:, 3] = 0
counts[:, 4] = 2
counts[:, 23] *= 40
x = np.log1p(counts)

values = np.expm1(x)
mean = values.mean(axis=0)
variance = values.var(axis=0, ddof=1)
mean[mean == 0] = 1e-12
dispersion = variance / mean
dispersion[dispersion < 1e-20] = np.nan
dispersion = np.log(dispersion)
mean = np.log1p(mean)
genes = pd.DataFrame({"mean": mean, "dispersion": dispersion})
genes["bin"] = pd.cut(genes["mean"], bins=BINS)
grouped = genes.groupby("bin")["dispersion"]
average, deviation = grouped.mean(), grouped.std(ddof=1)
single = deviation.isnull()
deviation[single] = average[single]
average[single] = 0
norm = (dispersion - average[genes["bin"]].to_numpy()) / deviation[genes["bin"]].to_numpy()
cutoff = np.sort(norm[~np.isnan(norm)])[::-1][TOP - 1]

as_list = lambda a: [None if np.isnan(v) else float(v) for v in a]
print(
    json.dumps(
        {
            "means": as_list(mean),
            "dispersions": as_list(dispersion),
            "dispersionsNorm": as_list(norm),
            "indices": np.flatnonzero(np.nan_to_num(norm, nan=-np.inf) >= cutoff).tolist(),
        },
        indent=2,
    )
)
