#!/usr/bin/env bash
# Fuzzes the readers of other programs' files: tools/fuzz.sh [SECONDS]
#
# Builds the readers of tensor files and the image codecs with clang, libFuzzer and the address and
# undefined-behaviour sanitizers, and starts with the corpus of each format in turn, SECONDS (60) for each. What fails
# is left in tensors/fuzz/corpus/failed or data/fuzz/failed; keep it there once it is fixed, and a test reads it ever
# after. Exit codes: 0, nothing was found; 1, something was; 2, bad usage, or no clang.
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
found=0

# $1: the fuzzer's package; $2: its name. Bazel says which sources the target <name>_fuzzer consists of.
build_fuzzer() {
  local sources
  sources=$(bazel query --noshow_progress "filter('^//.*[.]cc$', kind('source file', deps(//$1:$2_fuzzer)))" |
    sed 's,^//,,; s,:,/,')
  # shellcheck disable=SC2086
  clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -I. \
    -isystem /usr/include/opencv4 -isystem /usr/include/openjpeg-2.5 -o "$build/$2" $sources -Wl,--as-needed \
    -lopencv_core -ldeflate -lgif -lglog -ljpeg -lopenjp2 -lpng -ltiff -lwebpdemux -lwebp -lz \
    -labsl_{statusor,status,cord,cordz_info,cord_internal,str_format_internal,strings,strings_internal,throw_delegate,raw_logging_internal}
}

# $1: the fuzzer's name; $2: the format; $3: where what fails is left; the rest: files to start with.
fuzz() {
  mkdir -p "$build/seeds/$2" "$build/learned/$2" "$3"
  cp "${@:4}" "$build/seeds/$2"
  "$build/$1" -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$3/" "$build/learned/$2" "$build/seeds/$2" 2>"$build/log" || found=1
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/log")
  echo "$2: ${runs:-0} executions, $(grep -oE 'cov: [0-9]+' "$build/log" | tail -1)"
  grep -E '^(SUMMARY|.*Test unit written)' "$build/log" || true
  rmdir --ignore-fail-on-non-empty "$3"
}

build_fuzzer tensors/fuzz tensors
for format in zip legacy safetensors pickle npy archive; do
  fuzz tensors "$format" tensors/fuzz/corpus/failed "tensors/fuzz/corpus/$format"/*
done

build_fuzzer data codecs
for format in bmp gif jp2 jpg npy png ppm tif webp; do
  fuzz codecs "$format" data/fuzz/failed data/testdata/samples/*."$format"
done

build_fuzzer data png_pixels
fuzz png_pixels png_pixels data/fuzz/failed data/testdata/samples/*_8.png

build_fuzzer data tables
fuzz tables tables data/fuzz/failed data/fuzz/tables/*
exit $found
