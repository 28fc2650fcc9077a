"""Writes wide.tar.gz: columns of 64-bit integers, and what Python reads of them, as text.

Run by Debian's Python: python3-anndata (0.8), python3-zarr.
"""

import gzip
import json
import os
import shutil
import tarfile
import tempfile

import anndata
import numpy as np
import pandas as pd

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "wide.tar.gz")
ROOT = tempfile.mkdtemp()
SIGNED = [0, -1, 2**31, 2**53 + 1, -(2**63), 2**63 - 1]
UNSIGNED = [0, 1, 2**31, 2**53 + 1, 2**63, 2**64 - 1]
MISSING = [False, True, False, False, True, False]
obs = pd.DataFrame(
    {
        "signed": np.array(SIGNED, "i8"),
        "unsigned": np.array(UNSIGNED, "u8"),
        "nullable_signed": pd.arrays.IntegerArray(np.array(SIGNED, "i8"), np.array(MISSING)),
        "nullable_unsigned": pd.arrays.IntegerArray(np.array(UNSIGNED, "u8"), np.array(MISSING)),
        "categories": pd.Categorical(np.array(SIGNED, "i8")),
        "words": np.array([0, 1, 2**31, 2**32 - 1, 5, 6], "u4"),
    },
    index=[f"c{i}" for i in range(len(SIGNED))],
)
adata = anndata.AnnData(np.zeros((len(SIGNED), 1), "f4"), obs=obs, dtype="f4")
adata.layers["wide"] = np.array([[v] for v in [0, 1, 2**31, 2**53, -1, 2]], "i8")
adata.write_h5ad(f"{ROOT}/wide.h5ad")
adata.write_zarr(f"{ROOT}/wide.zarr")
expected = {}
for name, read in [("wide.h5ad", anndata.read_h5ad), ("wide.zarr", anndata.read_zarr)]:
    frame = read(f"{ROOT}/{name}").obs
    expected[name] = {
        column: [None if value is pd.NA else str(int(value)) for value in frame[column]]
        for column in frame.columns
    }
with open(f"{ROOT}/expected.json", "w") as out:
    json.dump(expected, out)


def anonymous(entry):
    entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = 0, 0, 0, "", ""
    return entry


with open(OUT, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, 0) as zipped:
    with tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(os.listdir(ROOT)):
            archive.add(f"{ROOT}/{name}", name, filter=anonymous)
shutil.rmtree(ROOT)
print(expected, os.path.getsize(OUT), "bytes")
