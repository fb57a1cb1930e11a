#!/usr/bin/env bash
# Seen on 1 December 2026 with mmpose 1.3.2 and mmengine 0.10.7.
#
# Guess: MMPose's recipe for DeepFashion with "udp" in its name trains UDP heatmaps, for
# it sets `codec` to UDPHeatmap and `train_pipeline` to one with UDP's crop.
# Behaviour: the recipe sets these variables alone. MMEngine copied the base's values
# into the model and the data loaders while it read the base, so what is built is the
# base's: MSRA heatmaps, no UDP crop. All six recipes of that name are so; those for
# COCO set every place.
# For users: a child config has to set each place that uses a variable. ogn_mm's tools
# refuse a config whose `codec` is not the one that it builds.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet 'mmengine==0.10.7' 'setuptools<81'
"$folder/venv/bin/pip" install --quiet --no-deps 'mmpose==1.3.2'
cat > "$folder/show.py" <<'PYTHON'
import glob
import sys
from mmengine.config import Config
pattern = f'{sys.prefix}/lib/*/site-packages/mmpose/.mim/configs/**/{sys.argv[1]}'
for path in sorted(glob.glob(pattern, recursive=True)):
    cfg = Config.fromfile(path, import_custom_modules=False)
    steps = {step.type: step for step in cfg.train_dataloader.dataset.pipeline}
    print(
        path.rpartition('/')[2],
        cfg.codec.type,
        cfg.model.head.decoder.type,
        steps['GenerateTarget'].encoder.type,
        steps['TopdownAffine'].get('use_udp', False),
    )
PYTHON
expected=$(cat <<'TEXT'
td-hm_hrnet-w32_udp_8xb64-210e_deepfashion_full-256x192.py UDPHeatmap MSRAHeatmap MSRAHeatmap False
td-hm_hrnet-w32_udp_8xb64-210e_deepfashion_lower-256x192.py UDPHeatmap MSRAHeatmap MSRAHeatmap False
td-hm_hrnet-w32_udp_8xb64-210e_deepfashion_upper-256x192.py UDPHeatmap MSRAHeatmap MSRAHeatmap False
td-hm_hrnet-w48_udp_8xb32-210e_deepfashion_full-256x192.py UDPHeatmap MSRAHeatmap MSRAHeatmap False
td-hm_hrnet-w48_udp_8xb32-210e_deepfashion_lower-256x192.py UDPHeatmap MSRAHeatmap MSRAHeatmap False
td-hm_hrnet-w48_udp_8xb32-210e_deepfashion_upper-256x192.py UDPHeatmap MSRAHeatmap MSRAHeatmap False
TEXT
)
found=$("$folder/venv/bin/python" -W ignore "$folder/show.py" '*_udp_*deepfashion*.py' 2> "$folder/log") \
    || { cat "$folder/log"; exit 1; }
echo "$found"
[ "$found" = "$expected" ] || { echo 'no longer as described'; exit 1; }
