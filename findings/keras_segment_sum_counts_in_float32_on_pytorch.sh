#!/usr/bin/env bash
# keras.ops.segment_sum of int32 on the PyTorch backend adds in float32: a count
# of ones stops at 2**24, although data and result are int32. JAX is exact.
#
# Seen with Keras 3.15.1, PyTorch 2.13.0 and JAX 0.10.2, Python 3.11:
#   torch 16777216 int32
#   jax 16777226 int32
# What to do instead: scatter_add of integers in PyTorch itself is exact.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q torch==2.13.0
"$folder/env/bin/pip" install -q keras==3.15.1 jax==0.10.2 numpy

cat > "$folder/count.py" <<'PY'
import keras
from keras import ops

data = ops.ones((2**24 + 10,), dtype="int32")
ids = ops.zeros((2**24 + 10,), dtype="int32")
total = ops.segment_sum(data, ids, num_segments=1)
dtype = keras.backend.standardize_dtype(total.dtype)
print(keras.backend.backend(), int(total[0]), dtype)
PY
for backend in torch jax; do
    KERAS_BACKEND=$backend "$folder/env/bin/python" "$folder/count.py"
done 2> "$folder/log" | tee "$folder/output" || { cat "$folder/log"; exit 1; }
diff "$folder/output" - <<'EXPECTED'
torch 16777216 int32
jax 16777226 int32
EXPECTED
