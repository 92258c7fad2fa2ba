#!/bin/bash
# Hugging Face datasets 5.2.0: Dataset.class_encode_column, which train_test_split(stratify_by_column=...) requires, gives
# labels that are numbers already other numbers as soon as there are more than ten: it sorts them as text, so that 2 becomes
# 4, and 10 becomes 2. cast_column with ClassLabel keeps them.
# Exits non-zero if the behaviour has changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install datasets==5.2.0 pyarrow==26.0.1
cd "$work"
HF_HOME=$work/home "$work/venv/bin/python" - << 'PYTHON'
import datasets

datasets.disable_progress_bars()


def encoded(classes):
    return datasets.Dataset.from_dict({"label": list(range(classes))}).class_encode_column("label")["label"][:]


ten, twelve = encoded(10), encoded(12)
label = datasets.ClassLabel(num_classes=12)
cast = datasets.Dataset.from_dict({"label": list(range(12))}).cast_column("label", label)["label"][:]
print("datasets", datasets.__version__, "class_encode_column of 0 to 9:", ten, "of 0 to 11:", twelve, "cast_column:", cast)
assert ten == list(range(10)) and cast == list(range(12))
assert twelve == [0, 1, 4, 5, 6, 7, 8, 9, 10, 11, 2, 3]
PYTHON
