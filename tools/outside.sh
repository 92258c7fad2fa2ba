#!/usr/bin/env bash
# Builds the workspaces of examples/ as a user would: copied to a place outside of this tree, with another name for this
# repository.
#
#   tools/outside.sh          analyses all of their targets; builds and tests those without LibTorch
#   tools/outside.sh --all    builds and tests all: every source is compiled again, since its path is another
#
# Within the tree `bazel test //examples/...` tests the same files with what is compiled already.
set -euo pipefail

if (($# > 1)) || [[ ${1---all} != --all ]]; then
  sed -n '2,/^set/{s/^# \{0,1\}//p;}' "$0" >&2
  exit 2
fi

cd "$(dirname "$0")/.."
tree=$PWD
work=$(mktemp -d)
# Bazel's own folder is written without permission to write.
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT

for example in my_backbone embed; do
  cp -R "examples/$example" "$work/$example"
  cd "$work/$example"
  sed -i "s|@mocopp//|@another_name//|g; s|name = \"mocopp\"|name = \"another_name\"|; s|path = \"../..\"|path = \"$tree\"|" \
    WORKSPACE BUILD
  # Another Bazel would ask for modules (tools/bazel).
  mkdir tools && cp "$tree/tools/bazel" "$tree/tools/no_modules.bazelrc" tools/
  bazel() { command bazel --batch --output_base="$work/base-$example" "$@"; }
  if (($# == 1)); then
    bazel test //...
  else
    bazel build --nobuild //...
    if [[ $example == my_backbone ]]; then bazel test //:codec_test; fi
  fi
  cd "$tree"
done
