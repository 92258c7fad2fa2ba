#!/usr/bin/env bash
# benchmarks/gpu.md is what page.py makes of the results beside it; and figures of a rehearsal are never published.
set -euo pipefail

fail() {
  echo "FAILED: $*"
  exit 1
}

page=tools/gpu/page.py
shopt -s nullglob
python3 $page benchmarks/gpu*.json >made.md
diff benchmarks/gpu.md made.md || fail "run tools/gpu/page.py benchmarks/gpu*.json > benchmarks/gpu.md"

cat >gpu.json <<'JSON'
{"machine": {"gpu": "NVIDIA H100, 580.1, 81559 MiB", "torch": "2.11.0+cu130", "cores": 16, "processor": "some | cpu", "date": "2026-12-01",
             "commit": "0123456789abcdef"},
 "check": {"items": {"lincls": {"ok": false, "detail": "a | b", "seconds": 3.2}, "out of memory": {"ok": null, "detail": "needs a GPU"}},
           "operations": {"queue": {"fp32": {"error": "1.0e-07", "bound": "1e-05", "repeats": "no"}}}},
 "speed": {"wanted": ["R, 224 px: ours beside tuned", "end to end", "later"],
           "done": {"R, 224 px: ours beside tuned": {"ratio": 1.3, "ratios": [1.2, 1.3, 1.4],
                      "ours": {"pairs_per_second": 3300.4, "memory": 2e10, "kernels": 700, "waits": 0, "busy": 0.98},
                      "theirs": {"pairs_per_second": 2500.1, "memory": 3e10, "kernels": 900, "waits": 1}},
                    "end to end": {"failed": "no files"}}},
 "demo": {"over": true, "seconds": 280, "settings": "--preset=cifar10", "epochs": [{"epoch": 200, "loss": 2.2, "knn": 82.61, "published": 82.58}]}}
JSON
python3 $page gpu.json >made.md
for text in 'NVIDIA H100' '| lincls | \*\*wrong\*\* | a \\| b | 3 |' '1.30 (1.20 to 1.40) | 3,300 | 20.0 | 700 | 0 | 2%' \
  'not reached, call again: later' '\*\*failed\*\*: no files' '| 200 | 2.200 | 82.61 | 82.58 |' 'not the same bits again' 'commit 0123456789ab'; do
  grep -q -- "$text" made.md || fail "no '$text' in: $(cat made.md)"
done
sed 's/"gpu": [^,]*, [^,]*, [^,]*,/"device": "cpu",/' gpu.json >cpu.json
python3 $page cpu.json >made.md
grep -q 'No GPU has run this code yet' made.md || fail "figures of a rehearsal are published: $(cat made.md)"
echo PASSED
