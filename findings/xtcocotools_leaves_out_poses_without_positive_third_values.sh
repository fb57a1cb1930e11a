#!/usr/bin/env bash
# Seen on 1 December 2026 with xtcocotools 1.14.3, pycocotools 2.0.11 and numpy 1.26.4.
#
# Guess: COCO's results format does not use the third value of a keypoint, so results
# whose third values are 0, or logits below 0, have the AP of the same poses with 1.
# Behaviour: so it is in pycocotools. xtcocotools, on which MMPose's metrics stand, drops
# every predicted pose that has no third value above 0 before it matches anything, and
# says nothing: AP of perfect poses is 0.
# For users: write 1, or a score above 0, as the third value. ogn_mm's
# `tools/analysis_tools/eval_metric.py` and its metrics count such poses as they are.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet 'numpy==1.26.4' 'pycocotools==2.0.11' 'xtcocotools==1.14.3'
cat > "$folder/show.py" <<'PYTHON'
import contextlib
import importlib
import io
import json
import numpy as np
place = [(x, y) for x, y in zip(range(10, 95, 5), range(20, 105, 5))]
person = dict(id=1, image_id=1, category_id=1, bbox=[5, 5, 100, 110], area=11000.0,
              iscrowd=0, num_keypoints=17,
              keypoints=[n for x, y in place for n in (x, y, 2)])
truth = dict(images=[dict(id=1, file_name='a.png', width=120, height=120)],
             annotations=[person],
             categories=[dict(id=1, name='person', keypoints=list('abcdefghijklmnopq'))])
json.dump(truth, open('truth.json', 'w'))
for third in (1, 0, -1.5):
    found = [dict(image_id=1, category_id=1, score=0.9,
                  keypoints=[n for x, y in place for n in (x, y, third)])]
    json.dump(found, open('found.json', 'w'))
    scores = []
    for name in ('pycocotools', 'xtcocotools'):
        coco = importlib.import_module(f'{name}.coco')
        evaluation = importlib.import_module(f'{name}.cocoeval')
        with contextlib.redirect_stdout(io.StringIO()):
            gt = coco.COCO('truth.json')
            run = evaluation.COCOeval(gt, gt.loadRes('found.json'), 'keypoints')
            run.evaluate(), run.accumulate(), run.summarize()
        scores.append(f'{name} {max(run.stats[0], 0):.2f}')
    print(f'third values {third}: AP by', ', '.join(scores))
PYTHON
expected='third values 1: AP by pycocotools 1.00, xtcocotools 1.00
third values 0: AP by pycocotools 1.00, xtcocotools 0.00
third values -1.5: AP by pycocotools 1.00, xtcocotools 0.00'
found=$(cd "$folder" && venv/bin/python -W ignore show.py 2> log) || { cat "$folder/log"; exit 1; }
echo "$found"
[ "$found" = "$expected" ] || { echo 'no longer as described'; exit 1; }
