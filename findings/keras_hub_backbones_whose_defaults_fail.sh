#!/usr/bin/env bash
# Two backbones of keras-hub cannot be made as their docstrings show, which
# leave arguments out that look optional: the default of EfficientNetBackbone's
# coefficients and of CSPNetBackbone's stage_type is None, and None fails.
#
# Seen with keras-hub 0.32.0, Keras 3.15.1 and PyTorch 2.13.0, Python 3.11:
#   CSPNetBackbone ValueError names block_type: True
#   EfficientNetBackbone TypeError
# The first message names block_type, which was given and is right.
# What to do instead: stage_type="dark", and lists for
# stackwise_width_coefficients and stackwise_depth_coefficients.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q torch==2.13.0
"$folder/env/bin/pip" install -q keras==3.15.1 keras-hub==0.32.0

cat > "$folder/backbones.py" <<'PY'
from keras_hub.models import CSPNetBackbone
from keras_hub.models import EfficientNetBackbone

cspnet = dict(
    stem_filters=16,
    stem_kernel_size=3,
    stem_strides=1,
    stackwise_depth=[1, 1],
    stackwise_strides=[1, 2],
    stackwise_num_filters=[16, 32],
    block_type="dark_block",
)
efficientnet = dict(
    stackwise_kernel_sizes=[3, 3],
    stackwise_num_repeats=[1, 1],
    stackwise_input_filters=[8, 8],
    stackwise_output_filters=[8, 16],
    stackwise_expansion_ratios=[1, 4],
    stackwise_squeeze_and_excite_ratios=[0.0, 0.25],
    stackwise_strides=[1, 2],
    stackwise_block_types=["fused", "unfused"],
)
try:
    CSPNetBackbone(**cspnet)
    print("CSPNetBackbone made")
except ValueError as error:
    named = "Received block_type=None" in str(error)
    print("CSPNetBackbone ValueError names block_type:", named)
CSPNetBackbone(**cspnet, stage_type="dark")
try:
    EfficientNetBackbone(**efficientnet)
    print("EfficientNetBackbone made")
except TypeError:
    print("EfficientNetBackbone TypeError")
PY
cd "$folder"
KERAS_BACKEND=torch env/bin/python backbones.py 2> log | tee output \
    || { cat log; exit 1; }
diff output - <<'EXPECTED'
CSPNetBackbone ValueError names block_type: True
EfficientNetBackbone TypeError
EXPECTED
