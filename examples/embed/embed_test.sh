#!/usr/bin/env bash
# The features of an image, from a checkpoint: as many numbers as the encoder has features. The arguments: the program,
# a program that writes a checkpoint, and images.
set -euo pipefail

embed=$PWD/$1 write_checkpoint=$PWD/$2
image=$(printf '%s\n' "${@:3}" | grep -m 1 '\.jpg$')
image=$PWD/$image
cd "$TEST_TMPDIR"
"$write_checkpoint" resnet18 "resize:size=64|center_crop:size=64|to_tensor|normalize" checkpoint.pth.tar 1
"$embed" checkpoint.pth.tar "$image" > features
[ "$(wc -l < features)" -eq 512 ] || { echo "FAILED: $(cat features)"; exit 1; }
[ "$(sort -u features | wc -l)" -gt 100 ] || { echo "FAILED: the features are all alike"; exit 1; }
"$embed" checkpoint.pth.tar nowhere.jpg 2> error && { echo "FAILED: no error"; exit 1; }
grep -q nowhere.jpg error || { echo "FAILED: $(cat error)"; exit 1; }
echo PASSED
