#!/usr/bin/env bash
# From what a program prints of its plugins to lines of "kind name", sorted.
set -euo pipefail

# A plugin's line is "kind name: summary"; the lines of its options are indented.
sed -n 's/^\([a-z_]* [a-z0-9_]*\):.*/\1/p' | LC_ALL=C sort
