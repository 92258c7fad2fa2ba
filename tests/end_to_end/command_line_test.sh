#!/bin/bash
# The command lines of both programs.
. tests/end_to_end/lib.sh

# --- Help: every flag has its theme ---
for program in "$pretrain" "$lincls"; do
  "$program" --help > help.txt 2> help.err || fail "$program --help: exit code $?, $(cat help.err)"
  [ ! -s help.err ] || fail "$program --help says on stderr: $(cat help.err)"
  for theme in data views encoder optimisation run monitor machine help; do
    grep -qx "$theme:" help.txt || fail "$program --help has no '$theme:'"
  done
  grep -q '^  --learning-rate, --lr (' help.txt || fail "$program --help: --lr"
done
echo PASSED
