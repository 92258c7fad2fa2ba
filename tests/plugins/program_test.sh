#!/usr/bin/env bash
# A program has the plugins of tests/plugins/plugins.txt that are of its kinds, and no others.
# $1: its kinds; $2: single plugins that it has beside those, "kind name,kind name", or "none"; the rest: the
# program and its flag.
set -euo pipefail

kinds=$1 also=$2
shift 2
has=$("$@" | tests/plugins/names.sh)
expected=$({
  grep -E "^(${kinds// /|}) " tests/plugins/plugins.txt
  [[ $also == none ]] || tr ',' '\n' <<<"$also"
} | LC_ALL=C sort)
diff -u --label "tests/plugins/plugins.txt" --label "$1" - <(echo "$has") <<<"$expected" && exit
echo "'$1' has other plugins (+) than tests/plugins/plugins.txt says (-)."
echo "If that is intended, renew the lists: bazel run //tests/plugins:update"
exit 1
