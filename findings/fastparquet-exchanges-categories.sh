#!/bin/bash
# fastparquet 2026.9.0: a file whose parts have different categories is read with the numbers of the first parts and the names
# of the last: of the labels cat, dog in one part and bird, cat in the next, the first two come back as bird, cat. This is so
# for a file to which fastparquet itself appended a frame with a column of categories (each part has those that occur in it),
# and for a folder that pandas wrote with pyarrow. There is no error or warning, and pyarrow reads the right labels from the
# same files.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  fastparquet==2026.9.0 pandas==2.3.3 pyarrow==26.0.1 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import os

import fastparquet
import pandas as pd

parts = [["cat", "dog"], ["bird", "cat"]]
os.mkdir("folder")
for i, part in enumerate(parts):
    frame = pd.DataFrame({"label": pd.Categorical(part)})
    fastparquet.write("file.parquet", frame, append=i > 0)
    frame.to_parquet(f"folder/{i}.parquet", engine="pyarrow")
found = {(name, engine): pd.read_parquet(name, engine=engine)["label"].tolist()
         for name in ("file.parquet", "folder") for engine in ("fastparquet", "pyarrow")}
print("fastparquet", fastparquet.__version__, "pandas", pd.__version__, "written:", parts, "read:", found)
for (name, engine), labels in found.items():
    assert labels == (["cat", "dog", "bird", "cat"] if engine == "pyarrow" else ["bird", "cat", "bird", "cat"]), (name, engine)
PYTHON
