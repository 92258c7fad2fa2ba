#!/usr/bin/env bash
# docs/plugins.md shows the plugins, their options and their help as they are. $1: the program //tools:plugins.
set -euo pipefail

"$1" --markdown | diff -u docs/plugins.md - && exit
echo "docs/plugins.md is out of date; renew it: bazel run //tests/plugins:update"
exit 1
