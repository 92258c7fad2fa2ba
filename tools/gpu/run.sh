#!/bin/sh
# The kit for a day with a GPU (docs/cuda.md):  ./run.sh check | speed | demo
# It needs a Python with PyTorch, whose libraries it takes; MOCOPP_DEVICE=cpu rehearses it with small sizes.
exec python3 -B "$(dirname "$0")/kit/main.py" "$@"
