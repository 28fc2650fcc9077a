"""Writes parquet.tar.gz: tables in the forms that Parquet has, and what Python reads of each.

Run by a Python that has pyarrow and pandas.
"""

import gzip
import io
import json
import os
import tarfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "parquet.tar.gz")
CELLS, GENES = 6, 3
DENSE = np.random.default_rng(7).poisson(1.2, (CELLS, GENES)).astype("f4")
OBS = [f"c{i}" for i in range(CELLS)]
VAR = [f"g{j}" for j in range(GENES)]
TEXTS = ["T", "B", "T", "", "\u03b1\u03b2", "B"]
counts = pd.DataFrame(DENSE, index=OBS, columns=VAR)
table = pa.Table.from_pandas(counts.assign(type=TEXTS))

FORMS = {
    **{name: {"compression": name} for name in ["none", "snappy", "gzip", "brotli", "zstd", "lz4"]},
    "pages_2": {"data_page_version": "2.0"},
    "groups": {"row_group_size": 2},
    "plain": {"use_dictionary": False},
    "delta": {"use_dictionary": False, "column_encoding": {
        **{name: "BYTE_STREAM_SPLIT" for name in VAR},
        "type": "DELTA_BYTE_ARRAY",
        "__index_level_0__": "DELTA_LENGTH_BYTE_ARRAY",
    }},
    "first": {"version": "1.0"},
}
TYPES = ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f8"]

files, expected = {}, {}


def add(name, table, values, **options):
    out = io.BytesIO()
    pq.write_table(table, out, **options)
    files[f"{name}.parquet"] = out.getvalue()
    columns = {"type": TEXTS} if "type" in table.column_names else {}
    X = [[None if v != v else float(v) for v in row] for row in np.asarray(values, "f8")]
    expected[f"{name}.parquet"] = {"X": X, "obs": OBS, "var": VAR, "columns": columns}


for name, options in FORMS.items():
    add(name, table, DENSE, **options)
for name in TYPES:
    add(name, pa.Table.from_pandas(counts.astype(name)), DENSE)
holes = counts.astype("object").where(counts > 0, None)
add("missing", pa.Table.from_pandas(holes), np.where(DENSE > 0, DENSE, np.nan))
flags = counts > 0
add("flags", pa.Table.from_pandas(flags), flags)

files["expected.json"] = json.dumps(expected).encode()
with open(OUT, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, 0) as zipped:
    with tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
print(len(expected), "tables,", os.path.getsize(OUT), "bytes")
