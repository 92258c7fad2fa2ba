#!/usr/bin/env bash
# run_python.sh PYTHON SCRIPT ARGUMENT...: a comparison with Python as a test.
TMPDIR=$TEST_TMPDIR exec "$PWD/$1" "${@:2}"
