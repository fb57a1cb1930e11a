#!/usr/bin/env bash
# The demo: generate people, train OGN and its twin without offsets on the CPU,
# test both, print a table and draw. Interrupted, the same command goes on.
set -euo pipefail
cd "$(dirname "$0")/.."

out=work_dirs/demo
data=data/generated_people
jobs=$(env -u OMP_NUM_THREADS nproc)  # which would count threads instead of cores
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}

python -W ignore tools/dataset_tools/generate_people.py --out "$data" \
    --num-train 1000 --num-val 150 --workers "$jobs" --preview 12
python -W ignore tools/run_study.py configs/demo/study.py --work-dir "$out" \
    --jobs $((jobs < 2 ? jobs : 2))
for row in ogn-stride-16 dark-stride-16; do
    checkpoint=$(cat "$out/$row/seed0/last_checkpoint")
    python -W ignore tools/visualize_predictions.py "$out/$row/seed0.py" \
        "$checkpoint" --out "$out/$row/pictures" --num 12
done

echo
cat "$out/table.md"
echo
echo "The data:      $data/preview.png"
echo "The curves:    $out/study.png"
echo "The poses:     $out/ogn-stride-16/pictures and $out/dark-stride-16/pictures"
