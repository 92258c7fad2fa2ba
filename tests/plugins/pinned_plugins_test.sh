#!/usr/bin/env bash
# The plugins that a program has are those of a list. $1: the list; the rest: the program and its flag.
set -euo pipefail

list=$1
shift
# A plugin's line is "kind name: summary"; the lines of its options are indented.
"$@" | sed -n 's/^\([a-z_]* [a-z0-9_]*\):.*/\1/p' | diff -u "$list" - && exit
echo "The plugins of $1 (+) are not those of $list (-). If they are meant to be, change the list."
exit 1
