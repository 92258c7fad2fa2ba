#!/usr/bin/env bash
# The BUILD stanza that docs/adding_a_plugin.md shows is the one that docs/BUILD builds.
set -euo pipefail

stanza=$(docs/code_block.sh "stanza: moco/backbones/BUILD" docs/adding_a_plugin.md)
[[ $(<docs/BUILD) == *"$stanza"* ]] && exit
echo "The stanza in docs/adding_a_plugin.md is not in docs/BUILD; make both the same:"
echo "$stanza"
exit 1
