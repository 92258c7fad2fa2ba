#!/bin/bash
# A bundle: what is in it, that its programs run with nothing but LibTorch and the system's C and C++ libraries, and what a
# user reads where LibTorch or the system does not suit.
set -uo pipefail

make=$PWD/tools/bundle/main
export RUNFILES_DIR=$PWD/..
solib=$(dirname "$(find "$PWD" -name libtorch_cpu.so -print -quit)")
cd "$TEST_TMPDIR" || exit 1

fail() {
  echo "FAILED: $*"
  exit 1
}

# expect CODE PATTERN COMMAND...: the command ends with CODE, and says one line with PATTERN on stderr.
expect() {
  local code=$1 pattern=$2
  shift 2
  "$@" > out 2> err
  local got=$?
  [ $got -eq "$code" ] || fail "$*: exit code $got instead of $code: $(cat err)"
  [ "$(wc -l < err)" -eq 1 ] && grep -q -- "^error: .*$pattern" err || fail "$*: no line with '$pattern': $(cat err)"
}

"$make" --out=mocopp.tar.gz > out 2> err || fail "no bundle: $(cat out err)"
cat out
# The same bytes again, whoever makes it, and when.
(umask 077 && TZ=Asia/Tokyo LC_ALL=C.UTF-8 PYTHONHASHSEED=3 "$make" --out=again > out 2> err) || fail "$(cat out err)"
cmp mocopp.tar.gz again || fail "not the same bytes"
[ "$(stat -c %s mocopp.tar.gz)" -lt 60000000 ] || fail "$(stat -c %s mocopp.tar.gz) bytes"
expect 2 "invalid choice: 'zip'" "$make" --format=zip
expect 2 "pip installs a wheel only under the name mocopp-" "$make" --format=wheel --out=other.whl

mkdir unpacked && tar -xzf mocopp.tar.gz -C unpacked || fail "it cannot be unpacked"
folder=$PWD/unpacked/mocopp
[ "$(ls unpacked)" = mocopp ] || fail "beside the folder: $(ls unpacked)"
for file in docs/{plugins,bundle}.md docs/slurm/requeue.sh lib/libopencv_core.so.* licenses/{PyTorch,zlib1g,libfaiss-dev}.txt \
  licenses/common-licenses/GPL-2 programs/mocopp/data/demo/train/train-0.tar; do
  compgen -G "$folder/$file" > /dev/null || fail "$file is missing"
done
grep -q 'bazel run //tools:plugins' "$folder/docs/plugins.md" && fail "docs name Bazel's command"
for library in "$folder"/lib/*; do
  name=$(basename "$library")
  [[ $name =~ ^(lib(c|m|dl|rt|pthread|stdc\+\+|gcc_s|gomp|torch.*|c10.*|cu.*)|ld-linux.*)\.so ]] && fail "$name is inside"
  grep -qF "\`$name\`" "$folder/licenses/README.md" || fail "no licence of $name"
done
cat "$folder/manifest.json"

# PyTorch as pip installs it.
mkdir -p site/torch/lib
ln -s "$solib"/*.so* site/torch/lib/
version=$(sed -n 's/.*"torch": "\(.*\)".*/\1/p' "$folder/manifest.json")
echo "__version__ = '$version+cu130'" > site/torch/version.py
export MOCOPP_TORCH=$PWD/site
mocopp=$folder/bin/mocopp

"$mocopp" --help > help || fail "--help"
programs=$(sed -n 's/^  \([a-z_]*\)  *[a-z].*/\1/p' help)
[ "$(wc -w <<< "$programs")" -ge 16 ] || fail "--help names these programs: $programs"
for program in $programs; do
  (cd / && "$mocopp" "$program" --help) > "help_$program" 2> err < /dev/null || fail "$program --help: $(cat err)"
  grep -q 'bazel run //' "help_$program" && fail "$program --help names Bazel's command: $(grep 'bazel run' "help_$program")"
done
grep -q "$mocopp pretrain --resume=" help_pretrain || fail "pretrain --help: $(head -n 20 help_pretrain)"
grep -q "$mocopp to_tar SOURCE OUT" help_to_tar || fail "to_tar --help: $(head -n 20 help_to_tar)"
while read -r program; do
  readelf -d "$program" | grep -qE '\(R(UN)?PATH\)' && fail "$program has a run path"
  LD_LIBRARY_PATH=$folder/lib:$PWD/site/torch/lib ldd "$program" > needed || fail "ldd $program"
  grep 'not found' needed && fail "$program"
  others=$(sed -n 's/^\s*\(\S*\) => \(\S*\) .*/\1 \2/p' needed | grep -v " $folder/lib/\| $PWD/site/torch/lib/" |
    grep -vE '^(lib(c|m|dl|rt|pthread|util|resolv|stdc\+\+|gcc_s)\.so\.[0-9]+|ld-linux.*) ')
  [ -z "$others" ] || fail "$program takes from the system: $others"
done < <(find "$folder/programs" -type f -perm -u+x ! -name '*.py')

# What a program says next names the launcher as it was typed; exit codes are the program's.
expect 2 "$mocopp pretrain" "$mocopp" lincls
PATH=$folder/bin:$PATH expect 2 'with: mocopp pretrain' mocopp lincls
expect 2 'unknown flag --no-such-flag' "$mocopp" pretrain --no-such-flag
"$mocopp" doctor "$folder/programs/mocopp/data/demo/train" --sample=100 -a resnet18 --image-size=32 -b 32 --page=page.html > out 2> err || fail "doctor: $(cat err)"
grep -q "^run      $mocopp pretrain " out || fail "doctor: $(cat out)"
grep -q "bazel run" page.html && fail "the page names Bazel's command"
# The demo's images are found: a run would begin.
"$mocopp" pretrain --print-config > out 2> err || fail "pretrain: $(cat err)"
"$mocopp" launch --nproc=2 -- --help > out 2> err || fail "launch: $(cat err)"
grep -q -- '--batch-size' out || fail "launch has not started pretrain_ddp: $(cat out)"

# What does not suit.
expect 2 'missing argument PROGRAM' "$mocopp"
expect 2 'did you mean pretrain?' "$mocopp" pretrian
MOCOPP_TORCH=$PWD/nowhere expect 2 "MOCOPP_TORCH=$PWD/nowhere has no lib/libtorch_cpu.so" "$mocopp" knn
MOCOPP_TORCH= expect 4 "PyTorch $version is not installed .*pip install torch==$version" python3 -I -S "$mocopp" knn
mkdir -p other/torch && ln -s "$PWD/site/torch/lib" other/torch/lib
echo "__version__ = '2.12.1+cpu'" > other/torch/version.py
MOCOPP_TORCH=$PWD/other/torch expect 4 "is PyTorch 2.12.1+cpu, and MoCo++ requires $version" "$mocopp" knn
rm other/torch/version.py
MOCOPP_TORCH=$PWD/other expect 4 'of unknown version' "$mocopp" knn
cp -r "$folder" changed
mocopp=$PWD/changed/bin/mocopp
with() { sed "$1" "$folder/manifest.json" > changed/manifest.json; } # with SED: another manifest
with 's/"glibc": .*/"glibc": "99.1",/'
expect 4 'has glibc 2\..*requires glibc 99.1 or newer' "$mocopp" knn
with 's/"libstdc++": .*/"libstdc++": 999,/'
expect 4 'libstdc++.so.6 has version 6.0.*requires 6.0.999 or newer; use a container' "$mocopp" knn
mkdir old && touch old/libstdc++.so.6.0.29 && ln -s libstdc++.so.6.0.29 old/libstdc++.so.6
LD_LIBRARY_PATH=$PWD/old expect 4 "take its folder out of LD_LIBRARY_PATH" "$folder/bin/mocopp" knn
with 's/"machine": .*/"machine": "riscv64",/'
expect 4 'built for riscv64' "$mocopp" knn
with 's/"libc10.so"/"libtorch_cuda_of_a_gpu.so"/'
expect 4 'has no libtorch_cuda_of_a_gpu.so.*with CUDA' "$mocopp" knn
with ''
chmod -x changed/programs/mocopp/lincls/knn
if [ ! -x changed/programs/mocopp/lincls/knn ]; then
  expect 4 'cannot be started: Permission denied' "$mocopp" knn
fi

# The wheel holds the same files, and pip's rules.
"$make" --format=wheel --out=wheels > out 2> err || fail "no wheel: $(cat out err)"
python3 - wheels/mocopp-*.whl "$folder" "$version" << 'PYTHON' || fail "the wheel"
import base64, hashlib, pathlib, sys, zipfile
wheel, folder, torch = sys.argv[1:]
archive = zipfile.ZipFile(wheel)
info = "-".join(pathlib.Path(wheel).name.split("-")[:2]) + ".dist-info"
record = [line.split(",") for line in archive.read(f"{info}/RECORD").decode().splitlines()]
assert [name for name, _, _ in record] == archive.namelist() and archive.namelist()[-1] == f"{info}/RECORD"
for name, digest, size in record[:-1]:
    contents = archive.read(name)
    assert digest == "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(contents).digest()).decode().rstrip("="), name
    assert int(size) == len(contents), name
    if name.startswith("mocopp/"):
        file = pathlib.Path(folder, name[len("mocopp/"):])
        assert file.read_bytes() == contents, name
        assert bool(file.stat().st_mode & 0o100) == bool(archive.getinfo(name).external_attr >> 16 & 0o100), name
metadata = archive.read(f"{info}/METADATA").decode()
needs = [line for line in metadata.splitlines() if line.startswith("Requires-Dist: ") and "extra" not in line]
assert needs == [f"Requires-Dist: torch=={torch}"], needs
assert "mocopp = mocopp.launcher:main" in archive.read(f"{info}/entry_points.txt").decode()
PYTHON
mkdir installed && python3 -m zipfile -e wheels/mocopp-*.whl installed
PYTHONPATH=$PWD/installed python3 -c 'from mocopp.launcher import main; import sys; sys.argv = ["mocopp", "--version"]; sys.exit(main())' ||
  fail "the launcher of the wheel"
echo PASSED
