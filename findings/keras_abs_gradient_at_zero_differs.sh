#!/usr/bin/env bash
# The gradient of keras.ops.abs at 0 is 1 on JAX and 0 on PyTorch. An L1 loss of
# equal tensors, such as that of a teacher and its copy, moves a JAX network.
#
# Seen with Keras 3.15.1, PyTorch 2.13.0 and JAX 0.10.2, Python 3.11:
#   jax [-1.0, 1.0, 1.0]
#   torch [-1.0, 0.0, 1.0]
# for inputs [-2, 0, 2]. What to do instead: where(x == 0, 0, abs(x)).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q torch==2.13.0
"$folder/env/bin/pip" install -q keras==3.15.1 jax==0.10.2 numpy

cat > "$folder/gradient.py" <<'PY'
import keras
from keras import ops

if keras.backend.backend() == "jax":
    import jax

    x = ops.convert_to_tensor([-2.0, 0.0, 2.0])
    gradient = jax.grad(lambda x: ops.sum(ops.abs(x)))(x)
else:
    import torch

    x = torch.tensor([-2.0, 0.0, 2.0], requires_grad=True)
    ops.sum(ops.abs(x)).backward()
    gradient = x.grad
print(keras.backend.backend(), gradient.tolist())
PY
for backend in jax torch; do
    KERAS_BACKEND=$backend "$folder/env/bin/python" "$folder/gradient.py"
done 2> "$folder/log" | tee "$folder/output" || { cat "$folder/log"; exit 1; }
diff "$folder/output" - <<'EXPECTED'
jax [-1.0, 1.0, 1.0]
torch [-1.0, 0.0, 1.0]
EXPECTED
