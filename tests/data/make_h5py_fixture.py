"""Writes h5py.h5ad: AnnData's encodings with the HDF5 types that h5py makes of NumPy's.

Run by hand (h5py 3, NumPy 2, SciPy 1): python make_h5py_fixture.py h5py.h5ad
"""

import sys

import h5py
import numpy as np
from scipy import sparse

TEXT = h5py.string_dtype()


def encode(node, kind, version="0.2.0", **attributes):
    node.attrs["encoding-type"] = kind
    node.attrs["encoding-version"] = version
    for name, value in attributes.items():
        node.attrs[name.replace("_order", "-order")] = value
    return node


def array(group, name, values, **options):
    values = np.asarray(values)
    if values.dtype.kind in "OU":
        node = group.create_dataset(name, data=values.astype(object), dtype=TEXT, **options)
        return encode(node, "string-array")
    return encode(group.create_dataset(name, data=values, **options), "array")


def matrix(group, name, values):
    node = encode(group.create_group(name), f"{values.format}_matrix", "0.1.0", shape=values.shape)
    for part in ["data", "indices", "indptr"]:
        node.create_dataset(part, data=getattr(values, part), maxshape=(None,), compression="gzip")


def nullable(group, name, kind, values, mask):
    node = encode(group.create_group(name), kind, "0.1.0")
    array(node, "values", values)
    array(node, "mask", mask)


def categorical(group, name, codes, categories, ordered):
    node = encode(group.create_group(name), "categorical", ordered=ordered)
    array(node, "codes", np.array(codes, "int8"))
    array(node, "categories", categories)


def frame(group, name, index, columns, version="0.2.0"):
    order = np.array(columns, dtype=object) if columns else np.array([])
    options = {"dtype": TEXT} if columns else {}
    node = group.create_group(name)
    encode(node, "dataframe", version)
    node.attrs["_index"] = "_index"
    node.attrs.create("column-order", order, **options)
    array(node, "_index", index)
    return node


def main(path):
    counts = np.array([[0, 2, 0], [1, 0, 0], [0, 0, 3], [4, 5, 0]])
    with h5py.File(path, "w", libver="latest", userblock_size=512) as file:
        encode(file, "anndata", "0.1.0")
        array(file, "X", counts.astype(">f8") / 2, chunks=(3, 2), shuffle=True, compression="gzip")
        layers = encode(file.create_group("layers"), "dict", "0.1.0")
        matrix(layers, "csc", sparse.csc_matrix(counts.astype("int64")))
        matrix(layers, "huge", sparse.csr_matrix(counts * 2**31))
        matrix(layers, "flags", sparse.csr_matrix(counts > 0))
        array(layers, "lzf", counts.astype("float32"), compression="lzf", chunks=(4, 3))
        array(layers, "half", counts.astype("float16"))
        array(layers, "unsigned", counts.astype("uint16"))

        columns = ["type", "grade", "flag", "count", "passed", "note", "score"]
        obs = frame(file, "obs", [f"cell{i}" for i in range(4)], columns)
        categorical(obs, "type", [1, -1, 0, 1], ["B", "T\u03b1"], False)
        categorical(obs, "grade", [0, 1, 1, 0], np.array([10, 20]), True)
        array(obs, "flag", np.array([True, False, True, True]))
        nullable(obs, "count", "nullable-integer", np.array([7, 0, -9, 1]), np.array([0, 1, 0, 0], bool))
        nullable(obs, "passed", "nullable-boolean", np.array([1, 0, 0, 1], bool), np.array([0, 0, 1, 0], bool))
        nullable(obs, "note", "nullable-string-array", ["a", "", "c", ""], np.array([0, 1, 0, 0], bool))
        obs.create_dataset("score", data=np.array([0.5, np.nan, 1, 2]))

        # AnnData 0.7: no encoding of columns, categories in a group beside them.
        var = frame(file, "var", ["g1", "g2", "g3"], ["chromosome", "symbol"], "0.1.0")
        names = var.create_dataset("__categories/chromosome", data=np.array(["1", "X"], object), dtype=TEXT)
        names.attrs["ordered"] = False
        var.create_dataset("chromosome", data=np.array([0, 1, 0], "int8")).attrs["categories"] = names.ref
        var.create_dataset("symbol", data=np.array([b"abc", b"d", b""], "S3"))

        raw = encode(file.create_group("raw"), "raw", "0.1.0")
        matrix(raw, "X", sparse.csr_matrix(np.hstack([counts, counts]).astype("float32")))
        frame(raw, "var", [f"r{i}" for i in range(6)], [])

        obsm = encode(file.create_group("obsm"), "dict", "0.1.0")
        array(obsm, "X_pca", np.arange(8, dtype="float32").reshape(4, 2))
        matrix(obsm, "sparse", sparse.csr_matrix(counts.astype("float64")))
        frame(obsm, "frame", [f"cell{i}" for i in range(4)], [])
    # What the user block is for: bytes of another program in front of the file.
    with open(path, "r+b") as file:
        file.write(b"#!/bin/sh\n")


main(sys.argv[1])
