#!/usr/bin/env bash
# A segmentation model that ends in keras.ops.argmax exports to LiteRT without a
# word, and the interpreters of TensorFlow and of LiteRT refuse the file: Keras's
# argmax on TensorFlow looks at the sign of zero by a bitwise operation, which
# LiteRT has only through the Flex delegate. With tf.argmax the file runs.
#
# Seen with Keras 3.15.1, TensorFlow 2.21.0 and ai-edge-litert 2.3.0, Python
# 3.11:
#   keras.ops.argmax: exported, RuntimeError, Flex asked for: True
#   tf.argmax: exported, runs
# What to do instead: tf.argmax in the model that is exported.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q keras==3.15.1 tensorflow==2.21.0 \
    ai-edge-litert==2.3.0

cat > "$folder/classes.py" <<'PY'
import keras
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

for name, argmax in (
    ("keras.ops.argmax", keras.ops.argmax),
    ("tf.argmax", tf.argmax),
):

    class Classes(keras.layers.Layer):
        def call(self, logits):
            return argmax(logits, axis=-1)

    inputs = keras.Input((8, 8, 4))
    model = keras.Model(inputs, Classes()(inputs))
    model.export("classes.tflite", format="litert", verbose=False)
    try:
        Interpreter("classes.tflite").allocate_tensors()
        print(f"{name}: exported, runs")
    except RuntimeError as error:
        kind = type(error).__name__
        print(f"{name}: exported, {kind}, Flex asked for: {'Flex' in str(error)}")
PY
cd "$folder"
KERAS_BACKEND=tensorflow env/bin/python classes.py 2> log | grep argmax \
    | tee output || { cat log; exit 1; }
diff output - <<'EXPECTED'
keras.ops.argmax: exported, RuntimeError, Flex asked for: True
tf.argmax: exported, runs
EXPECTED
