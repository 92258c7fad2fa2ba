#!/usr/bin/env bash
# docs/plugins.md is what the plugins say of themselves. $1: the program //tools:plugins.
set -euo pipefail

"$1" --markdown | diff -u docs/plugins.md - && exit
echo "docs/plugins.md is stale; renew it with: bazel run //tools:plugins -- --markdown > docs/plugins.md"
exit 1
