#!/usr/bin/env bash
# Does choosing images help? Computes the table of docs/recipes/labels.md.
#
#   docs/recipes/labels_experiment.sh DATA FOLDER
#
# DATA has train/<class>/ and test/<class>/. For each of SEEDS, an encoder is pretrained on train/ without labels. For
# each of BUDGETS and STRATEGIES, that number of images of train/ is chosen by the features, and a linear classifier on
# the features of the chosen images is tested on test/. FOLDER/results.csv gets one line for each combination, and a
# table is printed. Results that FOLDER already contains are not computed again.
set -euo pipefail
. "$(dirname "$0")/program.sh"

data=$(realpath "$1")
mkdir -p "$2"
folder=$(realpath "$2")
SEEDS=${SEEDS:-1 2 3 4 5} BUDGETS=${BUDGETS:-100 500 2000}
STRATEGIES=${STRATEGIES:-random balanced typical k_center}
THREADS=${THREADS:-0}

# once FILE COMMAND...: runs the command unless FILE exists.
once() { [[ -e $1 ]] || "${@:2}"; }

for seed in $SEEDS; do
  run=$folder/seed_$seed
  once "$run/checkpoints/checkpoint_0007.pth.tar" program moco:pretrain "$data" --preset=demo --epochs=8 \
    --seed="$seed" --knn-every=0 --threads="$THREADS" --run-dir="$run"
  # The training images, without labels.
  once "$run/train/backbone.npy" program lincls:features "$data/train" --dataset=flat_folder --pretrained="$run" \
    --threads="$THREADS" --out="$run/train"
  once "$run/test/backbone.npy" program lincls:features "$data" --split=validation --pretrained="$run" \
    --threads="$THREADS" --out="$run/test"
  for budget in $BUDGETS; do
    for strategy in $STRATEGIES; do
      name=${strategy}_$budget
      once "$run/$name.csv" program tools:select_labels "$run/train" --budget="$budget" --strategy="$strategy" \
        --seed="$seed" --out="$run/$name.csv"
      # The answers: the class of an image is its folder.
      awk -F/ 'NR > 1 { print $0 "," $1 }' "$run/$name.csv" | sed '1i file,label' > "$run/$name.labels.csv"
      # Rates and epochs are fixed, so that the test images do not influence any choice.
      once "$run/$name/sweep.csv" program lincls:sweep "$run/train" "$run/test" --labels="$run/$name.labels.csv" \
        --lr="${RATES:-0.01 0.1}" --weight-decay=0 --batch-size=50 --seed="$seed" --threads="$THREADS" --run-dir="$run/$name"
    done
  done
done

# Results of the last epoch: seed,budget,strategy,rate,Acc@1.
for seed in $SEEDS; do
  for budget in $BUDGETS; do
    for strategy in $STRATEGIES; do
      awk -F, -v OFS=, -v key="$seed,$budget,$strategy" 'NR > 1 { print key, $2, 100 * $8 }' \
        "$folder/seed_$seed/${strategy}_$budget/sweep.csv"
    done
  done
done > "$folder/results.csv"

# Differences to the first strategy are those of runs with the same encoder.
awk -F, -v first="${STRATEGIES%% *}" '
  { value[$1, $2, $3, $4] = $5; seeds[$1]; key = $2 "," $3 "," $4; if (!(key in seen)) keys[++count] = key; seen[key] }
  function deviation(squares, sum, n) { return n > 1 ? sqrt((squares - sum * sum / n) / (n - 1)) : 0 }
  END {
    print "| labels | strategy | rate | Acc@1 | deviation | least to most | to " first " | deviation |"
    print "| ---: | --- | ---: | ---: | ---: | --- | ---: | ---: |"
    for (i = 1; i <= count; ++i) {
      split(keys[i], part, ",")
      n = sum = squares = apart = apart_squares = 0
      for (seed in seeds) {
        x = value[seed, part[1], part[2], part[3]]
        d = x - value[seed, part[1], first, part[3]]
        if (n == 0 || x < low) low = x
        if (n == 0 || x > high) high = x
        ++n; sum += x; squares += x * x; apart += d; apart_squares += d * d
      }
      printf "| %d | %s | %g | %.1f %% | %.1f | %.1f to %.1f | %+.1f | %.1f |\n", part[1], part[2], part[3], sum / n,
        deviation(squares, sum, n), low, high, apart / n, deviation(apart_squares, apart, n)
    }
  }' "$folder/results.csv"
