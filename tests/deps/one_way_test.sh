#!/usr/bin/env bash
# Every C++ target of the programs goes through a macro of tools/mocopp.bzl, which gives it the compiler's options. The
# argument is a file with those that do not.
set -euo pipefail

[[ -s $1 ]] || exit 0
echo "Declare these with the macros of tools/mocopp.bzl:"
cat "$1"
exit 1
