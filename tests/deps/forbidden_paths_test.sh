#!/usr/bin/env bash
# No forbidden dependency. The arguments are three files for each rule: a path that breaks it, or nothing; and the
# targets that its two patterns match, of which there must be some.
set -euo pipefail

broken=0
while (($# > 0)); do
  rule=$(basename "$1")
  if [[ -s $1 ]]; then
    echo "Forbidden by the rule '$rule' of tests/deps/BUILD:"
    sed 's/^/  depends on /; 1s/depends on //' "$1"
    broken=1
  fi
  for pattern in "$2" "$3"; do
    [[ -s $pattern ]] && continue
    echo "The rule '$rule' of tests/deps/BUILD holds nothing: no target matches the pattern of $(basename "$pattern")"
    broken=1
  done
  shift 3
done
exit $broken
