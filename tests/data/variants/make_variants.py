"""Writes variants.tar.gz: files of cells in every form that is read, and what Python reads of each.

Run by Debian's Python: python3-anndata (0.8), python3-h5py, python3-zarr, python3-scipy.
"""

import gzip
import io
import json
import os
import shutil
import tarfile
import tempfile
import zipfile

import anndata
import h5py
import numpy as np
import pandas as pd
import scipy.io
import scipy.sparse as sp
import zarr

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "variants.tar.gz")
ROOT = tempfile.mkdtemp()
CELLS, GENES = 5, 4
rng = np.random.default_rng(7)
DENSE = rng.poisson(1.2, (CELLS, GENES)).astype("f4")
OBS = [f"c{i}" for i in range(CELLS)]
VAR = [f"g{j}" for j in range(GENES)]
expected = {}


def plain(x):
    """Numbers and texts as JSON has them: null for what is missing or no number."""
    if isinstance(x, np.ndarray):
        return [plain(v) for v in x.tolist()]
    if isinstance(x, list):
        return [plain(v) for v in x]
    if x is None or x is pd.NA or (isinstance(x, float) and not np.isfinite(x)):
        return None if x is None or x is pd.NA or np.isnan(x) else ("inf" if x > 0 else "-inf")
    if isinstance(x, bool):
        return int(x)
    if isinstance(x, bytes):
        return x.decode()
    return x


def columns_of(frame):
    found = {}
    for name in frame.columns:
        series = frame[name]
        values = series.astype(object).where(series.notna(), None).tolist()
        if isinstance(series.dtype, pd.CategoricalDtype):
            values = [None if v is None else str(v) for v in values]
        found[name] = plain(values)
    return found


def expect(name, X, obs=OBS, var=VAR, **more):
    expected[name] = {
        "X": None if X is None else plain(np.asarray(X, dtype="f8")),
        "obs": list(obs),
        "var": list(var),
        **more,
    }


def path_of(name):
    return os.path.join(ROOT, name)


def frame(names, columns=None):
    return pd.DataFrame(columns or {}, index=pd.Index(names, dtype=object))


def write(name, adata, **options):
    """By anndata, as h5ad and as Zarr; what is expected is what anndata reads back."""
    adata.write_h5ad(path_of(f"{name}.h5ad"), **options)
    read = anndata.read_h5ad(path_of(f"{name}.h5ad"))
    describe(f"{name}.h5ad", read)
    adata.write_zarr(path_of(f"{name}.zarr"))
    describe(f"{name}.zarr", anndata.read_zarr(path_of(f"{name}.zarr")))


def dense(x):
    return x.toarray() if sp.issparse(x) else np.asarray(x)


def describe(name, adata):
    expect(
        name,
        None if adata.X is None else dense(adata.X),
        adata.obs_names,
        adata.var_names,
        columns=columns_of(adata.obs),
        layers={k: plain(dense(v).astype("f8")) for k, v in adata.layers.items()},
        obsm={
            k: plain(np.asarray(v if isinstance(v, pd.DataFrame) else dense(v), dtype="f8"))
            for k, v in adata.obsm.items()
        },
        raw=None if adata.raw is None else plain(dense(adata.raw.X).astype("f8")),
    )


def cells(X=DENSE, obs=None, var=None, **more):
    n, d = (CELLS, GENES) if X is None else X.shape
    return anndata.AnnData(
        X,
        obs=frame([f"c{i}" for i in range(n)], obs),
        var=frame([f"g{j}" for j in range(d)], var),
        **more,
    )


# AnnData 0.8: types of X, compressions, sparse forms.
NUMBERS = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8"]
for code in NUMBERS:
    write(f"x_{code}", cells(DENSE.astype(code)))
for compression in ["gzip", "lzf"]:
    write(f"x_{compression}", cells(), compression=compression)
for form, make in [("csr", sp.csr_matrix), ("csc", sp.csc_matrix)]:
    for code in ["i4", "i8", "f4", "f8"]:
        write(f"{form}_{code}", cells(make(DENSE.astype(code))))
    write(f"{form}_lzf", cells(make(DENSE)), compression="lzf")
    empty = make((CELLS, GENES), dtype="f4")
    write(f"{form}_empty", cells(empty))
write("no_cells", cells(DENSE[:0]))
write("no_genes", cells(DENSE[:, :0]))
write("one_cell", cells(DENSE[:1]))
write("special", cells(np.array([[np.nan, np.inf], [-np.inf, -0.0]], dtype="f4")))

# Columns of every kind.
COLUMNS = {
    "cat": pd.Categorical(["a", "b", "a", "c", "b"]),
    "ordered": pd.Categorical(["lo", "hi", "lo", "hi", "lo"], ["lo", "hi"], ordered=True),
    "cat_missing": pd.Categorical(["a", None, "b", None, "a"]),
    "cat_int": pd.Categorical([3, 1, 3, 2, 1]),
    "cat_float": pd.Categorical([0.5, 1.5, 0.5, 1.5, 0.5]),
    "cat_bool": pd.Categorical([True, False, True, True, False]),
    "cat_one": pd.Categorical(["x"] * 5),
    "text": np.array(["α", "b", "", "d e", "f,g"], dtype=object),
    "flag": np.array([True, False, True, True, False]),
    "nullable_int": pd.array([1, None, 3, None, 5], dtype="Int64"),
    "nullable_small": pd.array([1, None, 3, None, 5], dtype="Int8"),
    "nullable_unsigned": pd.array([1, None, 3, None, 5], dtype="UInt16"),
    "nullable_bool": pd.array([True, None, False, None, True], dtype="boolean"),
    "with_nan": np.array([1.5, np.nan, np.inf, -np.inf, 0.0]),
    **{code: np.arange(5).astype(code) for code in NUMBERS if code != "f2"},
}
for name, column in COLUMNS.items():
    write(f"column_{name}", cells(obs={name: column}))
write("columns", cells(obs=COLUMNS))
write("var_columns", cells(var={"highly_variable": [True, False, True, False]}))

# What lies beside X.
write("layers", cells(layers={"counts": DENSE * 2, "sparse": sp.csr_matrix(DENSE)}))
write("obsm", cells(obsm={
    "X_pca": rng.normal(size=(CELLS, 3)),
    "cube": rng.normal(size=(CELLS, 2, 2)).astype("f4"),
    "frame": pd.DataFrame({"u": np.arange(5.0), "v": np.arange(5)}, index=OBS),
    "sparse": sp.csr_matrix(DENSE),
    "whole": np.arange(10).reshape(5, 2),
}))
with_raw = cells()
with_raw.raw = cells(np.hstack([DENSE, DENSE[:, :2]]))
write("raw", with_raw)
sparse_raw = cells()
sparse_raw.raw = cells(sp.csr_matrix(DENSE))
write("raw_sparse", sparse_raw)
write("no_x", cells(None, obs={"n": np.arange(5)}))

# HDF5 as other writers have it: byte order, chunks, filters, text of fixed width, index by category.
base = path_of("x_f4.h5ad")


def variant(name, change, X=DENSE, **more):
    target = path_of(f"{name}.h5ad")
    shutil.copy(base, target)
    with h5py.File(target, "r+") as file:
        change(file)
    expect(f"{name}.h5ad", X, **more)


def put(file, key, data, **options):
    attributes = dict(file[key].attrs) if key in file else {}
    if key in file:
        del file[key]
    array = file.create_dataset(key, data=data, **options)
    for attribute, value in attributes.items():
        array.attrs[attribute] = value


for code in [">f4", ">f8", ">i4", ">i8", ">u2", ">f2"]:
    variant(f"big_{code[1:]}", lambda f, c=code: put(f, "X", DENSE.astype(c)))
FILTERS = {
    "shuffle": {"compression": "gzip", "shuffle": True},
    "fletcher": {"fletcher32": True},
    "lzf_shuffle": {"compression": "lzf", "shuffle": True},
    "lzf_fletcher": {"compression": "lzf", "fletcher32": True},
    "gzip9": {"compression": "gzip", "compression_opts": 9},
    "scale_offset": {"scaleoffset": 0, "dtype": "i4"},
    "rows": {"chunks": (1, GENES)},
    "columns": {"chunks": (CELLS, 1)},
    "odd_chunks": {"chunks": (2, 3), "compression": "gzip"},
    "growing": {"maxshape": (None, GENES)},
}
for name, options in FILTERS.items():
    variant(f"filter_{name}", lambda f, o=options: put(f, "X", DENSE.astype(o.get("dtype", "f4")), **o))


def index(file, data, **options):
    put(file, "obs/_index", data, **options)


variant("index_fixed", lambda f: index(f, np.array(OBS, dtype="S8")))
variant("index_ascii", lambda f: index(f, OBS, dtype=h5py.string_dtype("ascii")))
variant("index_unicode", lambda f: index(f, ["é", "日本", "ß", "😀", "x"]), obs=["é", "日本", "ß", "😀", "x"])
variant("index_latin", lambda f: index(f, np.array([n.encode() for n in OBS], dtype="S3")))


def category_index(file):
    del file["obs/_index"]
    group = file["obs"].create_group("_index")
    group.attrs.update({"encoding-type": "categorical", "encoding-version": "0.2.0", "ordered": False})
    group["codes"] = np.arange(CELLS, dtype="i1")
    group["categories"] = OBS
    group["categories"].attrs.update({"encoding-type": "string-array", "encoding-version": "0.2.0"})
    group["codes"].attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})


variant("index_categorical", category_index)


def nullable(kind, values, mask):
    def change(file):
        group = file["obs"].create_group("n")
        group.attrs.update({"encoding-type": f"nullable-{kind}", "encoding-version": "0.1.0"})
        group["values"] = values
        group["mask"] = np.array(mask)
        file["obs"].attrs["column-order"] = np.array(["n"], dtype=object)
    return change


MASK = [False, True, False, True, False]
for name, kind, values, seen in [
    ("large", "integer", np.array([1, 2**62, 3, -(2**62), 5]), [1, None, 3, None, 5]),
    ("unsigned", "integer", np.array([1, 2**63, 3, 7, 5], dtype="u8"), [1, None, 3, None, 5]),
    ("float", "float", np.array([1, np.nan, 0.5, 9, 5]), [1, None, 0.5, None, 5]),
    ("boolean", "boolean", np.array([1, 1, 0, 0, 1], dtype=bool), [1, None, 0, None, 1]),
    ("string", "string-array", np.array(["a", "b", "c", "d", "e"], dtype=object), ["a", None, "c", None, "e"]),
]:
    variant(f"nullable_{name}", nullable(kind, values, MASK), columns={"n": seen})

# Index types and duplicates of sparse matrices.
for form in ["csr", "csc"]:
    matrix = getattr(sp, f"{form}_matrix")(DENSE)
    major = CELLS if form == "csr" else GENES
    for code in ["i4", "i8", "u4", "u8"]:
        def sparse(file, m=matrix, c=code, f=form):
            del file["X"]
            group = file.create_group("X")
            group.attrs.update({"encoding-type": f"{f}_matrix", "encoding-version": "0.1.0"})
            group.attrs["shape"] = np.array([CELLS, GENES])
            group["data"], group["indices"], group["indptr"] = m.data, m.indices.astype(c), m.indptr.astype(c)
        variant(f"{form}_index_{code}", sparse)

    def twice(file, m=matrix, f=form):
        del file["X"]
        group = file.create_group("X")
        group.attrs.update({"encoding-type": f"{f}_matrix", "encoding-version": "0.1.0"})
        group.attrs["shape"] = np.array([CELLS, GENES])
        group["data"] = np.repeat(m.data / 2, 2)
        group["indices"] = np.repeat(m.indices, 2)
        group["indptr"] = m.indptr * 2
    variant(f"{form}_twice", twice)


# AnnData 0.7: categories in a group beside the columns.
def categories_07(file):
    obs = file["obs"]
    obs["kind"] = np.array([0, 1, -1, 1, 0], dtype="i1")
    obs.create_group("__categories")["kind"] = np.array(["A", "B"], dtype=object)
    obs["__categories/kind"].attrs["ordered"] = False
    obs["kind"].attrs["categories"] = obs["__categories/kind"].ref
    obs.attrs["column-order"] = np.array(["kind"], dtype=object)
    obs.attrs["encoding-version"] = "0.1.0"


variant("v07_categories", categories_07, columns={"kind": ["A", "B", None, "B", "A"]})


# AnnData 0.5 and 0.6: records, categories in uns, sparse matrices of h5sparse, raw beside the others.
def records(names, index="index", **columns):
    fields = [(index, names), *columns.items()]
    types = [(n, np.asarray(v).dtype, np.asarray(v).shape[1:]) for n, v in fields]
    out = np.zeros(len(names), dtype=types)
    for n, v in fields:
        out[n] = v
    return out


def old(name, X=DENSE, obs=None, var=None, uns=None, obsm=None, raw=None, chunks=None, seen=None, text="S5"):
    with h5py.File(path_of(f"{name}.h5ad"), "w") as file:
        def matrix(key, value):
            if not sp.issparse(value):
                file[key] = value
                return
            group = file.create_group(key)
            group.attrs["h5sparse_format"] = value.format
            group.attrs["h5sparse_shape"] = np.array(value.shape)
            group["data"], group["indices"], group["indptr"] = value.data, value.indices, value.indptr
        if X is not None:
            matrix("X", X)
        options = {"chunks": chunks, "compression": "gzip"} if chunks else {}
        file.create_dataset("obs", data=records(np.array(OBS, dtype=text), **(obs or {})), **options)
        file["var"] = records(np.array(VAR, dtype=text), **(var or {}))
        for key, value in (uns or {}).items():
            file[f"uns/{key}"] = value
        if obsm is not None:
            file["obsm"] = obsm
        if raw is not None:
            matrix("raw.X", raw)
            file["raw.var"] = records(np.array([f"r{j}" for j in range(raw.shape[1])], dtype="S5"))
    expect(
        f"{name}.h5ad",
        None if X is None else dense(X),
        columns=seen or {},
        raw=None if raw is None else plain(dense(raw).astype("f8")),
        **({"obsm": {n: plain(obsm[n].astype("f8")) for n in obsm.dtype.names}} if obsm is not None else {}),
    )


old("v06_plain")
old("v06_chunks", chunks=(2,), obs={"n": np.arange(5)}, seen={"n": [0, 1, 2, 3, 4]})
for code in ["i1", "i4", "i8", "f4", "f8", "u2", "?"]:
    values = np.array([0, 1, 1, 0, 1]).astype(code)
    old(f"v06_column_{code.replace('?', 'bool')}", obs={"n": values}, seen={"n": plain(values)})
for code in ["i1", "i2", "i4"]:
    old(
        f"v06_categories_{code}",
        obs={"kind": np.array([0, 1, -1, 1, 0], dtype=code)},
        uns={"kind_categories": np.array(["A", "B"], dtype="S1")},
        seen={"kind": ["A", "B", None, "B", "A"]},
    )
old("v06_text", obs={"t": np.array(["x", "yy", "", "z", "w"], dtype="S2")}, seen={"t": ["x", "yy", "", "z", "w"]})
old("v06_csr", X=sp.csr_matrix(DENSE))
old("v06_csc", X=sp.csc_matrix(DENSE))
old("v06_raw", raw=np.hstack([DENSE, DENSE]))
old("v06_raw_csr", raw=sp.csr_matrix(DENSE))
pca = np.zeros(CELLS, dtype=[("X_pca", "f4", (3,)), ("X_umap", "f8", (2,))])
pca["X_pca"], pca["X_umap"] = rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
old("v06_obsm", obsm=pca)
text = h5py.string_dtype()
with h5py.File(path_of("v06_vlen.h5ad"), "w") as file:
    file["X"] = DENSE
    table = np.zeros(CELLS, dtype=[("index", text), ("n", ">i4"), ("t", text)])
    table["index"], table["n"], table["t"] = OBS, range(5), ["α", "", "c", "d", "e"]
    file["obs"] = table
    file["var"] = records(np.array(VAR, dtype="S5"))
expect("v06_vlen.h5ad", DENSE, columns={"n": [0, 1, 2, 3, 4], "t": ["α", "", "c", "d", "e"]})

# Records in Zarr.
for name, options in [("plain", {}), ("chunks", {"chunks": 2}), ("raw", {"compressor": None})]:
    for kind in ["S", "U"]:
        full = f"v06_{name}_{kind}.zarr"
        group = zarr.open(path_of(full), "w")
        group["X"] = DENSE
        table = records(np.array(OBS, dtype=f"{kind}4"), n=np.arange(5, dtype=">i4"), x=np.arange(5) / 2)
        group.create_dataset("obs", data=table, **options)
        group["var"] = records(np.array(VAR, dtype=f"{kind}4"))
        expect(full, DENSE, columns={"n": [0, 1, 2, 3, 4], "x": [0, 0.5, 1, 1.5, 2]})

# Compressions of Zarr.
for compressor in ["zstd", "lz4", "zlib", "lz4hc", "blosclz"]:
    name = f"zarr_{compressor}.zarr"
    group = zarr.open(path_of(name), "w")
    group.create_dataset("X", data=DENSE, compressor=zarr.Blosc(cname=compressor), chunks=(2, 3))
    group["obs"] = records(np.array(OBS, dtype="S4"))
    group["var"] = records(np.array(VAR, dtype="S4"))
    expect(name, DENSE, columns={})

# 10x: folders and HDF5 of versions 2 and 3. Cells × genes here, genes × cells there.
def tenx_folder(name, version, zipped, field="integer", values=DENSE, symmetric=False):
    folder = path_of(name)
    os.makedirs(folder)

    def save(file, text):
        data = text.encode()
        with open(os.path.join(folder, file + (".gz" if zipped else "")), "wb") as out:
            out.write(gzip.compress(data, mtime=0) if zipped else data)

    stream = io.BytesIO()
    matrix = sp.coo_matrix(values.T.astype("i4" if field == "integer" else "f8"))
    scipy.io.mmwrite(stream, matrix, field=field, comment=" metadata_json: {}")
    save("matrix.mtx", stream.getvalue().decode())
    save("barcodes.tsv", "".join(f"{c}\n" for c in OBS))
    rows = [f"ENSG{j}\t{g}" + ("\tGene Expression" if version == 3 else "") for j, g in enumerate(VAR)]
    save("features.tsv" if version == 3 else "genes.tsv", "".join(f"{row}\n" for row in rows))
    expect(name, (values != 0) if field == "pattern" else values)


for version in [2, 3]:
    for zipped in [False, True]:
        for field, values in [("integer", DENSE), ("real", DENSE / 4), ("pattern", DENSE)]:
            tenx_folder(f"mtx_{version}_{field}{'_gz' if zipped else ''}", version, zipped, field, values)


def tenx_h5(name, version, code="i4", compression="gzip", genome="GRCh38"):
    matrix = sp.csr_matrix(DENSE.astype(code))
    with h5py.File(path_of(name), "w") as file:
        group = file.create_group("matrix" if version == 3 else genome)
        options = {"compression": compression}
        group.create_dataset("data", data=matrix.data, **options)
        group.create_dataset("indices", data=matrix.indices.astype("i8"), **options)
        group.create_dataset("indptr", data=matrix.indptr.astype("i8"), **options)
        group["shape"] = np.array([GENES, CELLS], dtype="i4")
        group["barcodes"] = np.array(OBS, dtype="S18")
        ids = np.array([f"ENSG{j}" for j in range(GENES)], dtype="S15")
        if version == 3:
            features = group.create_group("features")
            features["id"], features["name"] = ids, np.array(VAR, dtype="S17")
            features["feature_type"] = np.array(["Gene Expression"] * GENES, dtype="S15")
            features["genome"] = np.array([genome] * GENES, dtype="S6")
            features["_all_tag_keys"] = np.array(["genome"], dtype="S6")
        else:
            group["genes"], group["gene_names"] = ids, np.array(VAR, dtype="S17")
    expect(name, DENSE)


for version in [2, 3]:
    for code in ["i4", "i8", "f4"]:
        tenx_h5(f"tenx_{version}_{code}.h5", version, code)
    tenx_h5(f"tenx_{version}_lzf.h5", version, compression="lzf")

# loom.
for name, code, options in [
    ("plain", "f4", {}),
    ("chunks", "f8", {"chunks": (2, 2), "compression": "gzip"}),
    ("whole", "i4", {}),
    ("small", "u2", {"compression": "gzip"}),
]:
    with h5py.File(path_of(f"{name}.loom"), "w") as file:
        file.create_dataset("matrix", data=DENSE.T.astype(code), **options)
        file["layers/spliced"] = DENSE.T.astype(code) * 2
        file["row_attrs/Gene"] = np.array(VAR, dtype=object)
        file["row_attrs/Accession"] = np.array([f"E{j}" for j in range(GENES)], dtype=object)
        file["col_attrs/CellID"] = np.array(OBS, dtype="S4") if name == "small" else np.array(OBS, dtype=object)
        file["col_attrs/Clusters"] = np.arange(CELLS)
        file["col_attrs/Embedding"] = np.arange(2.0 * CELLS).reshape(CELLS, 2)
        file.create_group("col_graphs")
        file.attrs["LOOM_SPEC_VERSION"] = "3.0.0"
    expect(
        f"{name}.loom",
        DENSE,
        columns={"Clusters": [0, 1, 2, 3, 4]},
        layers={"spliced": plain((DENSE * 2).astype("f8"))},
        obsm={"Embedding": plain(np.arange(2.0 * CELLS).reshape(CELLS, 2))},
    )

# MuData: two modalities, one of which is asked for.
for modality in ["rna", "prot"]:
    name = f"{modality}.h5mu"
    with h5py.File(path_of(name), "w") as file:
        file.attrs["encoding-type"] = "MuData"
        for part, factor in [("rna", 1), ("prot", 3)]:
            with h5py.File(path_of("x_f4.h5ad"), "r") as source:
                group = file.create_group(f"mod/{part}")
                for key in source:
                    source.copy(key, group)
                group.attrs.update(source.attrs)
            group["X"][...] = DENSE * factor
    expect(name, DENSE * (1 if modality == "rna" else 3), options={"modality": modality}, columns={})

# NumPy and tables.
for form in ["csr", "csc"]:
    for compressed in [True, False]:
        name = f"scipy_{form}_{'zip' if compressed else 'plain'}.npz"
        sp.save_npz(path_of(name), getattr(sp, f"{form}_matrix")(DENSE), compressed=compressed)
        expect(name, DENSE, [str(i) for i in range(CELLS)], [str(j) for j in range(GENES)])
np.save(path_of("array.npy"), DENSE)
expect("array.npy", DENSE, [str(i) for i in range(CELLS)], [str(j) for j in range(GENES)])
np.save(path_of("half.npy"), DENSE.astype("f2"))
expect("half.npy", DENSE, [str(i) for i in range(CELLS)], [str(j) for j in range(GENES)])
np.savez_compressed(path_of("one.npz"), X=DENSE.astype("f8"))
expect("one.npz", DENSE, [str(i) for i in range(CELLS)], [str(j) for j in range(GENES)])
table = pd.DataFrame(DENSE, index=OBS, columns=VAR)
for name, separator in [("comma.csv", ","), ("tab.tsv", "\t"), ("semicolon.csv", ";")]:
    table.to_csv(path_of(name), sep=separator)
    expect(name, DENSE)
    with open(path_of(f"{name}.gz"), "wb") as out:
        text = table.to_csv(sep=separator).encode()
        # As bgzip writes it: several parts.
        out.write(gzip.compress(text[:20], mtime=0) + gzip.compress(text[20:], mtime=0))
    expect(f"{name}.gz", DENSE)
text = table.to_csv()
TEXTS = {
    "windows.csv": text.replace("\n", "\r\n"),
    "mac.csv": text.replace("\n", "\r"),
    "marked.csv": "\ufeff" + text,
    "declared.csv": "sep=;\n" + table.to_csv(sep=";"),
}
for name, content in TEXTS.items():
    with open(path_of(name), "w", newline="") as out:
        out.write(content)
    expect(name, DENSE)

# A zip archive of every tenth hierarchy of Zarr.
for name in sorted(n for n in expected if n.endswith(".zarr"))[::10]:
    with zipfile.ZipFile(path_of(f"{name}.zip"), "w") as archive:
        for folder, _, files in os.walk(path_of(name)):
            for file in files:
                full = os.path.join(folder, file)
                archive.write(full, os.path.relpath(full, path_of(name)))
    expected[f"{name}.zip"] = expected[name]

with open(path_of("expected.json"), "w") as out:
    json.dump(expected, out)


def anonymous(entry):
    entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = 0, 0, 0, "", ""
    return entry


with open(OUT, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, 0) as zipped:
    with tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(os.listdir(ROOT)):
            archive.add(path_of(name), name, filter=anonymous)
shutil.rmtree(ROOT)
print(len(expected), "variants,", os.path.getsize(OUT), "bytes")
