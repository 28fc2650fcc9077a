"""AnnData files in many forms of HDF5 and Zarr, to which written_content.ts adds; all else must stay.

Run by hand (AnnData 0.8, h5py 3, zarr 2.13), in turns:
python verify_added.py make FOLDER
deno run --allow-read --allow-write tests/data/written_content.ts FOLDER add
python verify_added.py check FOLDER
"""

import os
import shutil
import sys
import warnings

import anndata
import h5py
import numpy as np
import pandas as pd
import zarr
from scipy import sparse

warnings.simplefilter("ignore")

CELLS = 40


def cells():
    counts = sparse.random(CELLS, 20, 0.2, format="csr", dtype="float32", random_state=1)
    obs = pd.DataFrame(
        {
            "type": pd.Categorical(["B", "T"] * (CELLS // 2)),
            "count": pd.array([None, 1] * (CELLS // 2), "Int64"),
            "flag": np.arange(CELLS) % 3 == 0,
        },
        index=[f"cell{i}" for i in range(CELLS)],
    )
    data = anndata.AnnData(counts, obs=obs)
    data.raw = data
    data.layers["dense"] = counts.toarray()
    data.obsm["X_pca"] = np.random.RandomState(1).rand(CELLS, 3)
    data.obsm["frame"] = pd.DataFrame({"a": np.arange(CELLS)}, index=obs.index)
    data.uns["neighbors"] = {"params": {"k": 15, "method": "umap"}, "records": np.rec.array([(1, "a")])}
    return data


FORMS = {
    "plain": lambda path: h5py.File(path, "w"),
    "earliest": lambda path: h5py.File(path, "w", libver="earliest"),
    "latest": lambda path: h5py.File(path, "w", libver="latest"),
    "v108": lambda path: h5py.File(path, "w", libver=("v108", "v108")),
    "ordered": lambda path: h5py.File(path, "w", track_order=True),
    "userblock": lambda path: h5py.File(path, "w", userblock_size=2048),
    "userblock_latest": lambda path: h5py.File(path, "w", userblock_size=512, libver="latest"),
    "paged": lambda path: h5py.File(path, "w", fs_strategy="page", fs_page_size=4096, fs_persist=True),
    "free_space": lambda path: h5py.File(path, "w", fs_strategy="fsm", fs_persist=True),
    "many": lambda path: h5py.File(path, "w", libver="latest"),
}


def make(folder):
    os.makedirs(folder, exist_ok=True)
    data = cells()
    data.write_h5ad(f"{folder}/written.h5ad", compression="gzip")
    for name, form in FORMS.items():
        with h5py.File(f"{folder}/written.h5ad") as source, form(f"{folder}/{name}.h5ad") as file:
            for key in source:
                source.copy(key, file)
            for key, value in source.attrs.items():
                file.attrs[key] = value
            if name == "many":
                for i in range(30):
                    file["uns"].create_dataset(f"more{i}", data=i).attrs["encoding-type"] = "array"
                    file["uns"][f"more{i}"].attrs["encoding-version"] = "0.2.0"
                    file["obsm"].attrs[f"attribute{i}"] = np.float32(i)
                file["obsm"].attrs["fixed"] = np.bytes_("text")
                file["obsm"].attrs["flag"] = True
                file["obsm"].attrs["list"] = np.arange(6, dtype="int16").reshape(2, 3)
    data.write_zarr(f"{folder}/plain.zarr")
    data.write_zarr(f"{folder}/consolidated.zarr")
    zarr.consolidate_metadata(f"{folder}/consolidated.zarr")
    for name in os.listdir(folder):
        if name.endswith(".h5ad"):
            shutil.copy(f"{folder}/{name}", f"{folder}/{name}.old")


def elements(file):
    """All arrays and attributes of a file, by key."""
    found = {}

    def visit(name, node):
        found[name] = (
            {key: np.asarray(value).tolist() for key, value in node.attrs.items()},
            (str(node.dtype), node.shape, node.chunks, node.compression, repr(node[()]))
            if isinstance(node, h5py.Dataset)
            else None,
        )

    file.visititems(visit)
    return found


def check_elements(path):
    with h5py.File(path + ".old") as old, h5py.File(path) as new:
        before, after = elements(old), elements(new)
        assert dict(old.attrs) == dict(new.attrs)
        assert old.userblock_size == new.userblock_size
    for key, (attributes, values) in before.items():
        if key == "obs":
            attributes["column-order"] += ["predicted", "confidence"]
        assert str(after[key]) == str((attributes, values)), (path, key, after[key], attributes)
    new = {key.split("/")[1] for key in after if key not in before}
    assert new == {"predicted", "confidence", "X_new", "model"}, new


def check_data(data):
    expected = cells()
    names = ["B", "T"]
    expected.obs["predicted"] = pd.Categorical.from_codes(np.arange(CELLS) % 2, names)
    expected.obs["confidence"] = np.full(CELLS, 0.25, "float32")
    pd.testing.assert_frame_equal(data.obs, expected.obs)
    assert (data.X != expected.X).nnz == 0 and (data.raw.X != expected.X).nnz == 0
    assert (data.obsm["X_new"] == np.arange(2 * CELLS).reshape(CELLS, 2)).all()
    assert (data.obsm["X_pca"] == expected.obsm["X_pca"]).all()
    assert data.uns["model"] == {"name": "demo", "rate": 0.1}
    assert data.uns["neighbors"]["params"] == {"k": 15, "method": "umap"}


def check(folder):
    count = 0
    for name in sorted(os.listdir(folder)):
        path = f"{folder}/{name}"
        if name in ("paged.h5ad", "free_space.h5ad"):  # refused: their lists of free space would lie
            assert open(path, "rb").read() == open(path + ".old", "rb").read()
            continue
        if name.endswith(".h5ad"):
            check_elements(path)
            check_data(anndata.read_h5ad(path))
            with h5py.File(path, "a") as file:
                for i in range(50):
                    file["obs"].create_dataset(f"later{i}", data=np.arange(CELLS))
                    file.create_group(f"group{i}")
                del file["obs/later3"], file["obsm/X_pca"], file["layers"]
            with h5py.File(path) as file, h5py.File(path + ".old") as old:
                assert len(file["obs"]) == 4 + 2 + 49 and "X_pca" not in file["obsm"]
                assert (file["raw/X/data"][:] == old["raw/X/data"][:]).all()
        elif name.endswith(".zarr"):
            check_data(anndata.read_zarr(path))
            if name.startswith("consolidated"):
                group = zarr.open_consolidated(path)
                assert (group["obs/confidence"][:] == 0.25).all() and "predicted" in group["obs"]
        else:
            continue
        count += 1
    print(f"{count} files have what was added, and all that they had")


{"make": make, "check": check}[sys.argv[1]](sys.argv[2])
