#!/bin/bash
# pylance 14.0.2 (Lance): update moves the rows that it changes to the end of the data set. After the label of 1.jpg was
# corrected, take([1]) gives 2.jpg, and all later images have moved up by one number, so that features, splits or predictions
# that are stored by row belong to other images. merge_insert does the same, and neither tells. take is documented to select
# rows by index.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  pylance==14.0.2 pyarrow==26.0.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import lance
import pyarrow as pa

names = [f"{i}.jpg" for i in range(5)]
lance.write_dataset(pa.table({"name": names, "label": ["cat"] * 5}), "a.lance")
found = {"before": lance.dataset("a.lance").to_table()["name"].to_pylist()}
lance.dataset("a.lance").update({"label": "'dog'"}, where="name = '1.jpg'")
found["update"] = lance.dataset("a.lance").to_table()["name"].to_pylist()
taken = lance.dataset("a.lance").take([1])["name"].to_pylist()
correction = pa.table({"name": ["0.jpg"], "label": ["dog"]})
lance.dataset("a.lance").merge_insert("name").when_matched_update_all().execute(correction)
found["merge_insert"] = lance.dataset("a.lance").to_table()["name"].to_pylist()
print("pylance", lance.__version__, "order of the rows:", found, "row 1 after update:", taken)
assert found["before"] == names and taken == ["2.jpg"]
assert found["update"] == ["0.jpg", "2.jpg", "3.jpg", "4.jpg", "1.jpg"]
assert found["merge_insert"] == ["2.jpg", "3.jpg", "4.jpg", "1.jpg", "0.jpg"]
PYTHON
