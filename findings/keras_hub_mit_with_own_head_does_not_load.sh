#!/usr/bin/env bash
# A Keras model on the pyramid of keras-hub's MiT (the encoder of SegFormer) is
# saved without a word, and the file cannot be loaded: the config of its layers
# `HierarchicalTransformerEncoder` has keys that their constructor refuses. The
# backbone alone is saved and loaded, since it is made anew from its arguments.
#
# Seen with Keras 3.15.1, keras-hub 0.32.0 and PyTorch 2.13.0, Python 3.11:
#   backbone: saved, loaded
#   backbone with a head: saved, TypeError of HierarchicalTransformerEncoder
#   weights into a new model: the same predictions
# What to do instead: keep the code that makes the model, and save its weights.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q torch==2.13.0
"$folder/env/bin/pip" install -q keras==3.15.1 keras-hub==0.32.0

cat > "$folder/segformer.py" <<'PY'
import keras
import keras_hub
import numpy as np

SIZE = 32


def make_backbone():
    return keras_hub.models.MiTBackbone(
        layerwise_depths=[1, 1],
        num_layers=2,
        layerwise_num_heads=[1, 2],
        layerwise_sr_ratios=[4, 2],
        max_drop_path_rate=0.1,
        layerwise_patch_sizes=[7, 3],
        layerwise_strides=[4, 2],
        hidden_dims=[8, 16],
        image_shape=(SIZE, SIZE, 3),
    )


def make_model():
    backbone = make_backbone()
    *_, level = backbone.pyramid_outputs.values()
    head = keras.layers.Conv2D(2, 1)
    return keras.Model(backbone.inputs, head(level))


def save_and_load(name, model):
    model.save("model.keras")
    try:
        keras.saving.load_model("model.keras")
        print(f"{name}: saved, loaded")
    except TypeError as error:
        layer = "HierarchicalTransformerEncoder"
        assert layer in str(error), error
        print(f"{name}: saved, TypeError of {layer}")


save_and_load("backbone", make_backbone())
model = make_model()
save_and_load("backbone with a head", model)
images = np.random.default_rng(0).uniform(size=(1, SIZE, SIZE, 3))
expected = model.predict(images, verbose=0)
model.save_weights("model.weights.h5")
other = make_model()
other.load_weights("model.weights.h5")
np.testing.assert_allclose(other.predict(images, verbose=0), expected, 1e-5)
print("weights into a new model: the same predictions")
PY
cd "$folder"
KERAS_BACKEND=torch env/bin/python segformer.py 2> log | grep -E "backbone|weights" \
    | tee output || { cat log; exit 1; }
diff output - <<'EXPECTED'
backbone: saved, loaded
backbone with a head: saved, TypeError of HierarchicalTransformerEncoder
weights into a new model: the same predictions
EXPECTED
