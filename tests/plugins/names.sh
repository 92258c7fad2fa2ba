#!/usr/bin/env bash
# Converts the list of plugins that a program prints to sorted lines of "kind name".
set -euo pipefail

# A plugin's line is "kind name: summary"; the lines of its options are indented.
sed -n 's/^\([a-z_]* [a-z0-9_]*\):.*/\1/p' | LC_ALL=C sort
