#!/usr/bin/env bash
# Seen on 1 December 2026 with datumaro 1.13.12 and numpy 2.4.6.
#
# Guess: Datumaro's export to COCO's keypoints writes every pose of the data set. It
# writes a pose that has no group, with the box of its points; one whose group holds
# nothing else has no less to it.
# Behaviour: a pose with a group that has no box, polygon or mask in it is not in the
# file, and nothing is said. The same pose with group 0 is written.
# For users: compare the number of poses before and after an export. Set the group of
# poses without a box to 0, or give each its box in the same group.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet 'numpy==2.4.6' 'datumaro==1.13.12' 2> "$folder/log" \
    || { cat "$folder/log"; exit 1; }
cat > "$folder/show.py" <<'PYTHON'
import json
from pathlib import Path
import datumaro as dm
import numpy as np
categories = {
    dm.AnnotationType.label: dm.LabelCategories.from_iterable(['person']),
    dm.AnnotationType.points: dm.PointsCategories.from_iterable(
        [(0, ['nose', 'left_eye', 'right_eye'])]
    ),
}


def pose(x, group):
    place = [x, 20, x + 5, 15, x - 5, 15]
    return dm.Points(place, [2, 2, 2], label=0, group=group)


def box(x, group):
    return dm.Bbox(x - 15, 5, 30, 50, label=0, group=group)


cases = {
    'group 0 without a box': [pose(20, 0)],
    'group 1 without a box': [pose(20, 1)],
    'group 1 with a box': [pose(20, 1), box(20, 1)],
    'group 1 without, group 2 with a box': [pose(20, 1), pose(60, 2), box(60, 2)],
}
for number, (name, annotations) in enumerate(cases.items()):
    image = dm.Image.from_numpy(np.zeros((60, 100, 3), np.uint8))
    item = dm.DatasetItem(id='a', media=image, annotations=annotations)
    data = dm.Dataset.from_iterable([item], categories=categories)
    data.export(f'case{number}', 'coco_person_keypoints')
    (file,) = Path(f'case{number}').rglob('person_keypoints_*.json')
    written = len(json.loads(file.read_text())['annotations'])
    poses = sum(isinstance(part, dm.Points) for part in annotations)
    print(f'{name}: {written} of {poses} written')
PYTHON
expected='group 0 without a box: 1 of 1 written
group 1 without a box: 0 of 1 written
group 1 with a box: 1 of 1 written
group 1 without, group 2 with a box: 1 of 2 written'
found=$(cd "$folder" && venv/bin/python -W ignore show.py 2> log) || { cat "$folder/log"; exit 1; }
echo "$found"
[ "$found" = "$expected" ] || { echo 'no longer as described'; exit 1; }
