#!/usr/bin/env bash
# No forbidden dependency: the arguments, one file for each rule, hold a path that breaks it, or nothing.
set -euo pipefail

broken=0
for rule; do
  [[ -s $rule ]] || continue
  echo "Forbidden by the rule '$(basename "$rule")' of tests/deps/BUILD:"
  sed 's/^/  depends on /; 1s/depends on //' "$rule"
  broken=1
done
exit $broken
