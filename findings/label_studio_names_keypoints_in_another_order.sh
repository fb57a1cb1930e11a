#!/usr/bin/env bash
# Seen on 1 December 2026 with label-studio-sdk 2.1.2.
#
# Guess: in the COCO file that Label Studio's converter writes, the k-th triple of
# `keypoints` is the k-th name of the category's `keypoints`, as COCO says.
# Behaviour: the names are in the order in which the labels stand in the labelling
# config, and the triples in the order of their `model_index`. If the two differ, the
# file gives points wrong names, and nothing is said.
# For users: let the labels stand in the order of `model_index`, 0 first, before the
# export; else put the category's names into that order afterwards. Draw a few people
# with the file's names before training on it.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet 'label-studio-sdk==2.1.2' 2> "$folder/log" \
    || { cat "$folder/log"; exit 1; }
cat > "$folder/show.py" <<'PYTHON'
import json
from label_studio_sdk.converter import Converter
from PIL import Image
place = dict(nose=(50, 30), left_eye=(60, 20), right_eye=(40, 20))
index = dict(nose=0, left_eye=1, right_eye=2)
Image.new('RGB', (100, 100)).save('a.png')
size = dict(original_width=100, original_height=100)
points = [
    dict(id=name, type='keypointlabels', from_name='point', to_name='image', **size,
         value=dict(x=x, y=y, width=1, keypointlabels=[name]))
    for name, (x, y) in place.items()
]
task = dict(id=1, data=dict(image='a.png'), annotations=[dict(id=1, result=points)])
json.dump([task], open('tasks.json', 'w'))
for order in (['nose', 'left_eye', 'right_eye'], ['right_eye', 'nose', 'left_eye']):
    labels = ''.join(f'<Label value="{k}" model_index="{index[k]}"/>' for k in order)
    config = (
        '<View><Image name="image" value="$image"/>'
        '<RectangleLabels name="box" toName="image"><Label value="person"/>'
        '</RectangleLabels><KeyPointLabels name="point" toName="image">'
        f'{labels}</KeyPointLabels></View>'
    )
    converter = Converter(config, '.', download_resources=False)
    converter.convert_to_coco('tasks.json', order[0], is_dir=False)
    file = json.load(open(f'{order[0]}/result.json'))
    (person,) = file['annotations']
    (names,) = [c['keypoints'] for c in file['categories'] if 'keypoints' in c]
    print('labels in the order', *order)
    for k, name in enumerate(names):
        x, y = person['keypoints'][3 * k : 3 * k + 2]
        print(f'  {name}: drawn at {place[name]}, in the file at {(x, y)}')
PYTHON
expected='labels in the order nose left_eye right_eye
  nose: drawn at (50, 30), in the file at (50, 30)
  left_eye: drawn at (60, 20), in the file at (60, 20)
  right_eye: drawn at (40, 20), in the file at (40, 20)
labels in the order right_eye nose left_eye
  right_eye: drawn at (40, 20), in the file at (50, 30)
  nose: drawn at (50, 30), in the file at (60, 20)
  left_eye: drawn at (60, 20), in the file at (40, 20)'
found=$(cd "$folder" && venv/bin/python -W ignore show.py 2> log) || { cat "$folder/log"; exit 1; }
echo "$found"
[ "$found" = "$expected" ] || { echo 'no longer as described'; exit 1; }
