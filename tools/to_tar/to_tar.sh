#!/bin/sh
# The program with the Python that has its packages. What this repository is called is decided by the workspace that it
# was built in.
files=${RUNFILES_DIR:-$0.runfiles}
for program in "$files"/*/tools/to_tar/__main__.py; do
  exec "$files/to_tar_python/python" "$program" "$@"
done
