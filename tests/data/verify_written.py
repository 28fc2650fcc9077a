"""Reads with AnnData what written_content.ts writes, and says whether it is what was meant.

Run by hand (AnnData 0.8, h5py 3, zarr 2.13): python verify_written.py FOLDER [OTHER.h5ad …], where
FOLDER/for_update/*.h5ad have been added to. Also writes on with h5py, as later programs do.
"""

import os
import shutil
import sys
import warnings

import anndata
import h5py
import numpy as np
import pandas as pd
from scipy import sparse

warnings.simplefilter("ignore")

MATRIX = np.array([[0, 1, 0], [2, 0, 0], [0, 0, 3], [4, 5, 0]])


def expected():
    index = ["c0", "c1", "zelle\u00e4", "\U0001f9ec"]
    many = [f"k{i}" for i in range(127)]
    obs = pd.DataFrame(
        {
            "cell_type": pd.Categorical.from_codes([1, -1, 0, 1], ["B", "T \u03b1"]),
            "stage": pd.Categorical.from_codes([0, 2, 1, 0], ["early", "middle", "late"], ordered=True),
            "many": pd.Categorical.from_codes([126, 0, -1, 7], many),
            "note": np.array(["", "a", "b,c", "\u2192"], object),
            "score": [0.5, np.nan, -np.inf, 1e300],
            "share": np.array([0.25, np.nan, -1, 2], "float32"),
            "count": np.array([1, -2, 3, 2**31 - 1], "int32"),
            "small": np.array([1, -2, 3, 4], "int16"),
            "unsigned": np.array([0, 1, 2, 2**32 - 1], "uint32"),
            "large": np.array([0, 1, 2**62, -1], "int64"),
            "passed": [True, False, False, True],
            "of_tensor": np.array([1, 2, 3, 4], "int32"),
            "missing_count": pd.array([7, None, -9, None], "Int32"),
            "missing_flag": pd.array([True, False, False, None], "boolean"),
            "percent #? %41": [1.0, 2, 3, 4],
        },
        index=index,
    )
    var = pd.DataFrame({"length": np.array([10, 20, 30], "int32")}, index=["g0", "g1", "g2"])
    return obs, var


def same(a, b, what):
    if isinstance(b, sparse.spmatrix):
        assert a.format == b.format and a.dtype == b.dtype, (what, a, b)
        assert (a != b).nnz == 0 and a.shape == b.shape, what
    elif isinstance(b, dict):
        assert set(a) == set(b), (what, set(a), set(b))
        for key in b:
            same(a[key], b[key], f"{what}/{key}")
    elif isinstance(b, np.ndarray):
        assert a.dtype == b.dtype and a.shape == b.shape, (what, a.dtype, b.dtype, a.shape, b.shape)
        assert np.array_equal(a, b), what
    elif isinstance(b, pd.Categorical):
        assert a.equals(b), what
    else:
        assert type(a) == type(b) and a == b, (what, type(a), a, b)


def verify(data, added):
    obs, var = expected()
    if added:
        obs["score"] = [1.0, 2, 3, 4]
        obs["predicted"] = pd.Categorical.from_codes([0, 1, 1, 0], ["B", "T"])
        obs["confidence"] = np.array([0.5, 0.25, 1, 0], "float32")
    pd.testing.assert_frame_equal(data.obs, obs, check_exact=True)
    assert data.obs["many"].cat.codes.dtype == "int16"
    pd.testing.assert_frame_equal(data.var, var, check_exact=True)
    same(data.X, np.array([[0, 1.5, 0], [2, 0, 0], [0, 0, -3], [4, 5, 0]], "float32"), "X")
    same(
        dict(data.layers),
        {
            "csr": sparse.csr_matrix(MATRIX.astype("float32")),
            "csc": sparse.csc_matrix(MATRIX.astype("int32")),
            "double": np.arange(12.0).reshape(4, 3),
            "integers": np.arange(-5, 7, dtype="int32").reshape(4, 3),
            "flags": np.array([[1, 0, 0], [0, 1, 0], [1, 1, 1], [0, 0, 0]], bool),
        },
        "layers",
    )
    obsm = {
        "X_pca": np.arange(8, dtype="float32").reshape(4, 2),
        "tiles": np.arange(24.0).reshape(4, 3, 2),
        "empty": np.zeros((4, 0), "float32"),
    }
    if added:
        obsm["X_new"] = np.arange(12, dtype="float32").reshape(4, 3)
    same(dict(data.obsm), obsm, "obsm")
    same(dict(data.varm), {"PCs": np.array([[1.0, 2], [3, 4], [5, 6]])}, "varm")
    distances = sparse.csr_matrix(([0.5], ([0], [3])), shape=(4, 4))
    same(dict(data.obsp), {"distances": distances}, "obsp")
    uns = {
        "text": "T \u03b1",
        "empty_text": "",
        "number": np.float64(0.1),
        "whole": np.int64(15),
        "flag": np.bool_(True),
        "texts": np.array(["x", "", "\u2192"], object),
        "numbers": np.array([1, 2.5]),
        "matrix": np.array([[1, 2], [3, 4]], "float32"),
        "colours": pd.Categorical.from_codes([0], ["red"]),
        "nested": {"deeper": {"rate": np.float64(0.5)}, "nothing": {}},
    }
    if added:
        uns["nested"] = np.float64(7)
        uns["model"] = {"name": "demo", "rate": np.float64(0.1)}
    same({key: data.uns[key] for key in data.uns}, uns, "uns")


def verify_long(data):
    assert (data.X.ravel() == np.arange(1_400_000) % 1009).all()
    assert list(data.obs_names) == [f"cell number {i}" for i in range(70_000)]
    assert list(data.obs["text"]) == ["x" * (i % 50) for i in range(70_000)]


def write_on(path):
    """h5py adds to groups, takes members away and changes attributes, and AnnData reads it still."""
    copy = path + ".copy"
    shutil.copy(path, copy)
    with h5py.File(copy, "a") as file:
        for i in range(40):
            file["obs"].create_dataset(f"more{i}", data=np.arange(4))
        del file["obs/more3"], file["obsm/X_pca"]
        file["obs"].attrs["column-order"] = ["score", "note"]
        for i in range(12):
            file["obs"].attrs[f"attribute{i}"] = i
    data = anndata.read_h5ad(copy)
    assert list(data.obs) == ["score", "note"] and "X_pca" not in data.obsm
    os.remove(copy)


def main(folder, *others):
    count = 0
    for name in ["written", "none", "gzip", "added_none", "added_gzip"]:
        added = name.startswith("added")
        verify(anndata.read_h5ad(f"{folder}/{name}.h5ad"), added)
        write_on(f"{folder}/{name}.h5ad")
        count += 1
        if name != "written":
            verify(anndata.read_zarr(f"{folder}/{name}.zarr"), added)
            count += 1
    verify_long(anndata.read_h5ad(f"{folder}/long.h5ad"))
    verify_long(anndata.read_zarr(f"{folder}/long.zarr"))
    assert anndata.read_h5ad(f"{folder}/nothing.h5ad").shape == (0, 0)
    for path in others:
        verify(anndata.read_h5ad(path), False)
        count += 1
    print(f"{count + 3} files are what was meant")


main(*sys.argv[1:])
