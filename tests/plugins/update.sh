#!/usr/bin/env bash
# Updates the lists of plugins in the working tree. $1: the program //tools:plugins.
set -euo pipefail

root=${BUILD_WORKSPACE_DIRECTORY:?run this as: bazel run //tests/plugins:update}
"$1" | "$root/tests/plugins/names.sh" >"$root/tests/plugins/plugins.txt"
"$1" --markdown >"$root/docs/plugins.md"
