#!/usr/bin/env bash
# Seen on 1 December 2026 with label-studio-sdk 2.1.2.
#
# Guess: two people of an image, each a box with its keypoints as regions inside it,
# become two COCO annotations that have a box and keypoints, as they become two lines of
# the same converter's YOLO file.
# Behaviour: all keypoints of an image become one annotation, in a category of its own
# that is named "default"; of two points with one label the last is kept. Its box is that
# of the points. The boxes that were drawn are annotations without keypoints, and the
# regions' `parentID` is not read. Nothing is said.
# For users: export images with more than one person to Label Studio's JSON or to YOLO,
# which keep people apart, and make COCO's file from that.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet 'label-studio-sdk==2.1.2' 2> "$folder/log" \
    || { cat "$folder/log"; exit 1; }
cat > "$folder/show.py" <<'PYTHON'
import json
from pathlib import Path
from label_studio_sdk.converter import Converter
from PIL import Image
config = (
    '<View><Image name="image" value="$image"/>'
    '<RectangleLabels name="box" toName="image"><Label value="person"/>'
    '</RectangleLabels><KeyPointLabels name="point" toName="image">'
    '<Label value="nose" model_index="0"/><Label value="left_eye" model_index="1"/>'
    '</KeyPointLabels></View>'
)
size = dict(original_width=100, original_height=100)


def person(name, x, points):
    """The regions of a person: a box from x on, and points inside it."""
    box = dict(x=x, y=10, width=30, height=50, rotation=0, rectanglelabels=['person'])
    regions = [dict(id=name, type='rectanglelabels', from_name='box', value=box)]
    for label, (px, py) in points.items():
        point = dict(x=px, y=py, width=1, keypointlabels=[label])
        regions.append(dict(id=name + label, parentID=name, type='keypointlabels',
                            from_name='point', value=point))
    return [dict(region, to_name='image', **size) for region in regions]


Image.new('RGB', (100, 100)).save('a.png')
regions = [
    *person('first', 10, dict(nose=(20, 20), left_eye=(25, 15))),
    *person('second', 50, dict(nose=(60, 20))),
]
task = dict(id=1, data=dict(image='a.png'), annotations=[dict(id=1, result=regions)])
json.dump([task], open('tasks.json', 'w'))
converter = Converter(config, '.', download_resources=False)
converter.convert_to_coco('tasks.json', 'coco', is_dir=False)
file = json.load(open('coco/result.json'))
names = {category['id']: category['name'] for category in file['categories']}
for found in file['annotations']:
    print('COCO:', names[found['category_id']], [round(n) for n in found['bbox']],
          'keypoints', found.get('keypoints'))
converter.convert_to_yolo('tasks.json', 'yolo', is_dir=False, split_labelers=False)
(path,) = Path('yolo/labels').glob('*.txt')
for line in path.read_text().splitlines():
    numbers = [round(100 * float(word)) for word in line.split()[5:]]
    print('YOLO: nose at', numbers[:2], 'left_eye at', numbers[3:5])
PYTHON
expected='COCO: person [10, 10, 30, 50] keypoints None
COCO: person [50, 10, 30, 50] keypoints None
COCO: default [25, 15, 35, 5] keypoints [60, 20, 2, 25, 15, 2]
YOLO: nose at [20, 20] left_eye at [25, 15]
YOLO: nose at [60, 20] left_eye at [0, 0]'
found=$(cd "$folder" && venv/bin/python -W ignore show.py 2> log) || { cat "$folder/log"; exit 1; }
echo "$found"
[ "$found" = "$expected" ] || { echo 'no longer as described'; exit 1; }
