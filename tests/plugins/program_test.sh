#!/usr/bin/env bash
# A program has the plugins of tests/plugins/plugins.txt that are of its kinds, and no others.
# $1: the program; $2: the flag that prints its plugins; $3: its kinds; $4: what it has beside the list,
# "kind name".
set -euo pipefail

has=$("$1" $2 | tests/plugins/names.sh)
expected=$({
  grep -E "^(${3// /|}) " tests/plugins/plugins.txt
  [[ -z $4 ]] || echo "$4"
} | LC_ALL=C sort)
diff -u --label "tests/plugins/plugins.txt" --label "$1" - <(echo "$has") <<<"$expected" && exit
echo "'$1' has other plugins (+) than tests/plugins/plugins.txt says (-)."
echo "If that is intended, renew the lists: bazel run //tests/plugins:update"
exit 1
