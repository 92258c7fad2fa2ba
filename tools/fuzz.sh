#!/usr/bin/env bash
# Fuzzes the readers of other programs' files: tools/fuzz.sh [SECONDS]
#
# Builds tensors/fuzz with clang, libFuzzer and the address and undefined-behaviour sanitizers, and starts
# with the corpus of each format in turn, SECONDS (60) for each. What fails is left in tensors/fuzz/corpus/failed;
# keep it there once it is fixed, and the corpus test reads it ever after. Exit codes: 0, nothing was
# found; 1, something was; 2, bad usage, or no clang.
set -euo pipefail

seconds=${1:-60}
if (($# > 1)) || [[ ! $seconds =~ ^[1-9][0-9]*$ ]]; then
  echo "error: usage: tools/fuzz.sh [SECONDS], a whole number for each format" >&2
  exit 2
fi
if ! command -v clang++ >/dev/null; then
  echo "error: there is no clang++; install the Debian packages clang and libclang-rt-dev" >&2
  exit 2
fi

cd "$(dirname "$0")/.."
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -I. \
  tensors/fuzz/{fuzzer,read_everything}.cc \
  tensors/{npy,pickle,safetensors,stored_zip,tensor_file,tensor_listing}.cc base/files.cc \
  -labsl_{statusor,status,cord,cordz_info,cord_internal,strings,strings_internal,throw_delegate,raw_logging_internal} \
  -lz -o "$build/fuzzer"

found=0
mkdir -p tensors/fuzz/corpus/failed
for format in zip legacy safetensors pickle npy; do
  mkdir "$build/$format" # what it learns goes here
  "$build/fuzzer" -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=2048 \
    -print_final_stats=1 -artifact_prefix=tensors/fuzz/corpus/failed/ \
    "$build/$format" "tensors/fuzz/corpus/$format" 2>"$build/log" || found=1
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/log")
  echo "$format: ${runs:-0} executions, $(grep -oE 'cov: [0-9]+' "$build/log" | tail -1)"
  grep -E '^(SUMMARY|.*Test unit written)' "$build/log" || true
done
rmdir --ignore-fail-on-non-empty tensors/fuzz/corpus/failed
exit $found
