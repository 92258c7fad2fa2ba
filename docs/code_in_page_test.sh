#!/usr/bin/env bash
# The code blocks of docs/adding_a_plugin.md are parts of the files that are built: a line `<!-- in: FILE -->` names the
# file of the block behind it.
set -euo pipefail

page=docs/adding_a_plugin.md
blocks=0 failed=0 file='' block='' inside=0
while IFS= read -r line; do
  if ((inside)); then
    if [[ $line == '```' ]]; then
      inside=0 blocks=$((blocks + 1))
      if [[ $(<"$file") != *"${block%$'\n'}"* ]]; then
        echo "This block of $page is not in $file; make both the same:"
        echo "$block"
        failed=1
      fi
      file=''
    else
      block+=$line$'\n'
    fi
  elif [[ $line =~ ^'<!-- in: '(.*)' -->'$ ]]; then
    file=${BASH_REMATCH[1]}
  elif [[ $line == '```'* && -n $file ]]; then
    inside=1 block=''
  elif [[ $line == '```'?* && $line != '```' ]]; then
    [[ $line == '```cpp' || $line == '```python' ]] && echo "$page: code without its file: $line" && failed=1
  fi
done <"$page"
((blocks >= 5)) || { echo "only $blocks blocks were compared"; failed=1; }
exit $failed
