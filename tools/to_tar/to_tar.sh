#!/bin/sh
# The program with the Python that has its packages.
files=${RUNFILES_DIR:-$0.runfiles}
exec "$files/to_tar_python/python" "$files/mocopp/tools/to_tar/__main__.py" "$@"
