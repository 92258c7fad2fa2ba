#!/usr/bin/env bash
# Prints the code block that follows the line `<!-- $1 -->` in the page $2; fails when there is none.
set -euo pipefail

awk -v marker="<!-- $1 -->" '
  $0 == marker { wanted = 1; next }
  wanted && /^```/ { if (inside) { found = 1; exit } inside = 1; next }
  inside
  END { exit !found }
' "$2"
