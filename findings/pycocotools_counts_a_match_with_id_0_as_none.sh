#!/usr/bin/env bash
# Seen on 1 December 2026 with pycocotools 2.0.11, xtcocotools 1.14.3 and numpy 1.26.4.
#
# Guess: the ids of annotations only have to differ, so perfect results have an AP of 1
# whichever ids the annotations have.
# Behaviour: in pycocotools the id of the annotation that a result matches also says
# whether it matches any, and 0 means none: the person with id 0 is missed and the
# result that found it is an error. xtcocotools, which MMPose's metrics use, takes ids
# below 0 for none instead, so id 0 is right there and id -1 is not. Nothing is said.
# For users: number annotations from 1. Not every exporter does: label-studio-sdk 2.1.2
# numbers from 0, as a list of one's own easily does.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet 'numpy==1.26.4' 'pycocotools==2.0.11' \
    'xtcocotools==1.14.3' 2> "$folder/log" || { cat "$folder/log"; exit 1; }
cat > "$folder/show.py" <<'PYTHON'
import contextlib
import importlib
import io
import json
box = [5, 5, 100, 110]
pose = [n for k in range(17) for n in (10 + 5 * k, 20 + 5 * k, 2)]


def ap(library, kind, ids):
    """AP of perfect results for images with one person each, with these ids."""
    images = [dict(id=k, width=120, height=120) for k in range(1, len(ids) + 1)]
    people = [
        dict(id=number, image_id=image['id'], category_id=1, bbox=box, area=11000.0,
             iscrowd=0, num_keypoints=17, keypoints=pose)
        for number, image in zip(ids, images)
    ]
    category = dict(id=1, name='person', keypoints=list('abcdefghijklmnopq'))
    truth = dict(images=images, annotations=people, categories=[category])
    answer = dict(bbox=dict(bbox=box), keypoints=dict(keypoints=pose))[kind]
    found = [
        dict(image_id=image['id'], category_id=1, score=0.9, **answer)
        for image in images
    ]
    json.dump(truth, open('truth.json', 'w'))
    json.dump(found, open('found.json', 'w'))
    coco = importlib.import_module(f'{library}.coco')
    evaluation = importlib.import_module(f'{library}.cocoeval')
    with contextlib.redirect_stdout(io.StringIO()):
        gt = coco.COCO('truth.json')
        run = evaluation.COCOeval(gt, gt.loadRes('found.json'), kind)
        run.evaluate(), run.accumulate(), run.summarize()
    return max(run.stats[0], 0)


for ids in ([1], [0], [0, 1, 2, 3], [-1]):
    for library in ('pycocotools', 'xtcocotools'):
        boxes, poses = (ap(library, kind, ids) for kind in ('bbox', 'keypoints'))
        print(f'ids {ids}: AP by {library} boxes {boxes:.2f}, poses {poses:.2f}')
PYTHON
expected='ids [1]: AP by pycocotools boxes 1.00, poses 1.00
ids [1]: AP by xtcocotools boxes 1.00, poses 1.00
ids [0]: AP by pycocotools boxes 0.00, poses 0.00
ids [0]: AP by xtcocotools boxes 1.00, poses 1.00
ids [0, 1, 2, 3]: AP by pycocotools boxes 0.56, poses 0.56
ids [0, 1, 2, 3]: AP by xtcocotools boxes 1.00, poses 1.00
ids [-1]: AP by pycocotools boxes 1.00, poses 1.00
ids [-1]: AP by xtcocotools boxes 0.00, poses 0.00'
found=$(cd "$folder" && venv/bin/python -W ignore show.py 2> log) || { cat "$folder/log"; exit 1; }
echo "$found"
[ "$found" = "$expected" ] || { echo 'no longer as described'; exit 1; }
