"""What h5py and PyTorch make of the file of bench/loader.ts, and the file itself.

    /usr/bin/python3 bench/loader.py make PATH CELLS FORM
    /usr/bin/python3 bench/loader.py read PATH SIZE ORDER
    /usr/bin/python3 bench/loader.py train PATH SIZE WAY

FORM is csr or dense, with or without "-gzip"; ORDER is rows or any; WAY is items (a dataset whose
items are cells, as DataLoader has it) or batches (a dataset whose items are ranges of cells).
Each prints one line of JSON.
"""
import json
import os
import resource
import sys
import time

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import h5py
import numpy as np

GENES, STORED, TYPES = 2000, 200, 20


def encoded(node, kind, version):
    node.attrs["encoding-type"], node.attrs["encoding-version"] = kind, version
    return node


def frame(file, name, length):
    group = encoded(file.create_group(name), "dataframe", "0.2.0")
    group.attrs["_index"] = "_index"
    names = np.array([str(i) for i in range(length)], dtype=object)
    index = group.create_dataset("_index", data=names, dtype=h5py.string_dtype())
    encoded(index, "string-array", "0.2.0")
    group.attrs["column-order"] = np.array([], dtype="f8")
    return group


def make(path, cells, form):
    """Cells of 20 types; a tenth of the genes of each are not zero, other ones for each type."""
    rng = np.random.default_rng(0)
    kind, _, gzip = form.partition("-")
    # As AnnData writes it: chunks whose length h5py chooses, but for dense ones as they are.
    options = {"chunks": True if kind == "csr" or gzip else None, "compression": gzip or None}
    with h5py.File(path, "w") as file:
        encoded(file, "anndata", "0.1.0")
        obs = frame(file, "obs", cells)
        frame(file, "var", GENES)
        types = encoded(obs.create_group("type"), "categorical", "0.2.0")
        types.attrs["ordered"] = False
        codes = rng.integers(0, TYPES, cells).astype("i1")
        types.create_dataset("codes", data=codes)
        names = np.array([f"type {i}" for i in range(TYPES)], dtype=object)
        types.create_dataset("categories", data=names, dtype=h5py.string_dtype())
        obs.attrs["column-order"] = np.array(["type"], dtype=object)
        if kind == "csr":
            group = encoded(file.create_group("X"), "csr_matrix", "0.1.0")
            group.attrs["shape"] = np.array([cells, GENES])
            size = cells * STORED
            data = group.create_dataset("data", (size,), "f4", **options)
            indices = group.create_dataset("indices", (size,), "i4", **options)
            group.create_dataset("indptr", data=np.arange(cells + 1, dtype="i4") * STORED)
        else:
            X = encoded(file.create_dataset("X", (cells, GENES), "f4", **options), "array", "0.2.0")
        preferred = rng.random((TYPES, GENES), dtype="f4")
        for start in range(0, cells, 2000):
            own = codes[start : start + 2000]
            draw = rng.random((len(own), GENES), dtype="f4") + preferred[own]
            at = np.sort(np.argpartition(draw, STORED, axis=1)[:, :STORED], axis=1).astype("i4")
            values = np.log1p(rng.poisson(1.5, at.shape) + 1).astype("f4")
            if kind == "csr":
                place = slice(start * STORED, (start + len(own)) * STORED)
                data[place], indices[place] = values.ravel(), at.ravel()
            else:
                rows = np.zeros((len(own), GENES), "f4")
                np.put_along_axis(rows, at, values, axis=1)
                X[start : start + len(own)] = rows


class Cells:
    """Rows of a file as dense arrays."""

    def __init__(self, path):
        self.file = h5py.File(path)
        X = self.file["X"]
        self.sparse = isinstance(X, h5py.Group)
        self.types = self.file["obs/type/codes"][:].astype("i8")
        self.count = len(self.types)
        if self.sparse:
            self.data, self.indices, self.pointers = X["data"], X["indices"], X["indptr"][:]
        else:
            self.X = X

    def range(self, start, end):
        if not self.sparse:
            return self.X[start:end]
        pointers = self.pointers[start : end + 1]
        place = slice(pointers[0], pointers[-1])
        out = np.zeros((end - start, GENES), "f4")
        rows = np.repeat(np.arange(end - start), np.diff(pointers))
        out[rows, self.indices[place]] = self.data[place]
        return out

    def any(self, rows):
        """Rows in any order, those that follow each other at once: in h5py by ranges."""
        order = np.argsort(rows)
        ordered = np.asarray(rows)[order]
        out = np.empty((len(rows), GENES), "f4")
        ends = np.flatnonzero(np.diff(ordered) != 1) + 1
        for part in np.split(np.arange(len(rows)), ends):
            out[order[part]] = self.range(ordered[part[0]], ordered[part[-1]] + 1)
        return out


def read(path, size, order):
    cells = Cells(path)
    total, count = 0.0, 0
    limit = cells.count if order == "rows" else min(cells.count, 20 * size)
    for start in range(0, limit, size):
        end = min(limit, start + size)
        if order == "rows":
            x = cells.range(start, end)
        else:
            x = cells.any([(i * 7919) % cells.count for i in range(start, end)])
        total += float(x[0].sum())
        count += end - start
    return {"cells": count, "value": total}


def train(path, size, way):
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    cells = Cells(path)
    network = torch.nn.Sequential(
        torch.nn.Linear(GENES, 256), torch.nn.ReLU(), torch.nn.Linear(256, TYPES)
    )
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)

    class Items(torch.utils.data.Dataset):
        def __len__(self):
            return cells.count

        def __getitem__(self, i):
            return torch.from_numpy(cells.range(i, i + 1)[0]), cells.types[i]

    class Batches(torch.utils.data.Dataset):
        def __len__(self):
            return cells.count // size

        def __getitem__(self, i):
            if i >= len(self):
                raise IndexError(i)
            place = slice(i * size, (i + 1) * size)
            x = torch.from_numpy(cells.range(place.start, place.stop))
            return x, torch.from_numpy(cells.types[place])

    loader = (
        torch.utils.data.DataLoader(Items(), size, shuffle=True, drop_last=True, num_workers=0)
        if way == "items"
        else torch.utils.data.DataLoader(Batches(), None, shuffle=True, num_workers=0)
    )
    count = 0
    for x, types in loader:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(x), types)
        loss.backward()
        optimizer.step()
        count += len(x)
    return {"cells": count, "value": loss.item()}


if __name__ == "__main__":
    command, path, *rest = sys.argv[1:]
    if command == "make":
        make(path, int(rest[0]), rest[1])
        print("{}")
    else:
        if command == "train":
            import torch
        before, start = time.process_time(), time.perf_counter()
        done = {"read": read, "train": train}[command](path, int(rest[0]), rest[1])
        done["seconds"] = time.perf_counter() - start
        done["processor"] = time.process_time() - before
        done["peakMiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
        print(json.dumps(done))
