#!/bin/bash
# duckdb 2.0.1: SELECT ... USING SAMPLE 10% of a table with 1,000 rows gives either no row or all 1,000, never about 100. A
# percentage is by default a choice of whole blocks of 2,048 rows ("system" sampling), which the documentation says and advises
# against for small tables. So "10 % of the labels" for a probe is nothing, or everything, or rows that lie next to each other
# and so mostly have one class. USING SAMPLE 100 ROWS and 10 PERCENT (bernoulli) choose single rows.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  duckdb==2.0.1
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import duckdb

connection = duckdb.connect()
connection.execute("CREATE TABLE images AS SELECT range AS id FROM range(1000)")


def counts(sample):
    return sorted({connection.execute(f"SELECT count(*) FROM images USING SAMPLE {sample}").fetchone()[0] for _ in range(200)})


percent, rows, bernoulli = counts("10%"), counts("100 ROWS"), counts("10 PERCENT (bernoulli)")
print("duckdb", duckdb.__version__, "rows of 200 samples of 10%:", percent, "100 ROWS:", rows,
      "bernoulli: from", bernoulli[0], "to", bernoulli[-1])
assert percent == [0, 1000] and rows == [100] and 40 < bernoulli[0] < 100 < bernoulli[-1] < 170
PYTHON
