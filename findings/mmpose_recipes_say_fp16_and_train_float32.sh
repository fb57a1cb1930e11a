#!/usr/bin/env bash
# Seen on 1 December 2026 with mmpose 1.3.2 and mmengine 0.10.7.
#
# Guess: MMPose's recipes that set `fp16 = dict(loss_scale='dynamic')` (HRFormer and RSN
# on COCO, eight of them) train in mixed precision.
# Behaviour: the key is one of MMPose 0.x. MMEngine's Runner takes no such argument, and
# the recipes' `optim_wrapper` is the plain one, so they train in float32. Nothing warns.
# For users: mixed precision is `--amp`, or `optim_wrapper.type='AmpOptimWrapper'`.
# ogn_mm's `tools/train.py` refuses keys of older releases that nothing reads.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet 'mmengine==0.10.7' 'setuptools<81'
"$folder/venv/bin/pip" install --quiet --no-deps 'mmpose==1.3.2'
cat > "$folder/show.py" <<'PYTHON'
import glob
import sys
from mmengine.config import Config
configs = f'{sys.prefix}/lib/*/site-packages/mmpose/.mim/configs/body_2d_keypoint/'
seen = 0
for path in sorted(glob.glob(configs + 'topdown_heatmap/coco/*.py')):
    cfg = Config.fromfile(path, import_custom_modules=False)
    if 'fp16' in cfg:
        seen += 1
        assert cfg.optim_wrapper.get('type', 'OptimWrapper') == 'OptimWrapper', path
print(seen, 'recipes name fp16 and have a plain OptimWrapper')
(runner,) = glob.glob(f'{sys.prefix}/lib/*/site-packages/mmengine/runner/runner.py')
reads = any(key in open(runner).read() for key in ("'fp16'", '"fp16"', 'cfg.fp16', 'fp16:'))
print('the Runner', 'reads' if reads else 'does not read', 'the key')
PYTHON
expected='8 recipes name fp16 and have a plain OptimWrapper
the Runner does not read the key'
found=$("$folder/venv/bin/python" -W ignore "$folder/show.py" 2> "$folder/log") \
    || { cat "$folder/log"; exit 1; }
echo "$found"
[ "$found" = "$expected" ] || { echo 'no longer as described'; exit 1; }
