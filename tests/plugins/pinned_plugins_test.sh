#!/usr/bin/env bash
# The plugins that a program has are those of a list. Run by `bazel run`, it renews the list.
# $1: the list; the rest: the program and its flag.
set -euo pipefail

list=$1
shift
# A plugin's line is "kind name: summary"; the lines of its options are indented.
plugins=$("$@" | sed -n 's/^\([a-z_]* [a-z0-9_]*\):.*/\1/p')
if [[ -n ${BUILD_WORKSPACE_DIRECTORY-} ]]; then
  echo "$plugins" >"$BUILD_WORKSPACE_DIRECTORY/$list"
else
  diff -u "$list" - <<<"$plugins" && exit
  echo "$1 has other plugins (+) than $list (-). If it is meant to, renew the list: bazel run $TEST_TARGET"
  exit 1
fi
