"""Photographs of a folder are what `load` makes of them."""

import keras
import numpy as np
import pytest
import tiny
from PIL import Image

import keras_s4t
from keras_s4t.data.pipeline.canvas import Canvas

SIZE = 16


def write_photographs(folder):
    """Eight smooth photographs, half of them JPEG, of four shapes."""
    rng = np.random.default_rng(0)
    shapes = [(48, 64), (64, 48), (51, 80), (40, 40)] * 2
    for i, (height, width) in enumerate(shapes):
        blobs = rng.uniform(0, 255, (5, 6, 3)).astype("uint8")
        image = Image.fromarray(blobs).resize(
            (width, height), Image.Resampling.BICUBIC
        )
        image.save(folder / f"{i}.{'jpg' if i % 2 else 'png'}")


def test_a_folder_is_predicted_as_a_dataset(load_recipe, tmp_path):
    tf = pytest.importorskip("tensorflow")
    recipe = load_recipe("shared.photographs")
    write_photographs(tmp_path)
    network = tiny.make_network()
    tiny.fill(network)
    batches = recipe.batches(recipe.read_all(tmp_path, []), SIZE, 1)
    count = 0
    for ((path, image, size),) in batches:
        canvas = Canvas(image.shape[:2])
        decoded = keras_s4t.data.images.decode_tensor(path.read_bytes())
        example = (tf.cast(decoded, tf.float32), {}, {})
        expected, *_ = canvas.finish(canvas.fit(example, {}), {})
        expected = expected.numpy()
        assert np.abs(image - expected).max() < 1e-2
        outputs = [
            network.postprocess(network.predict_on_batch(x[None]))
            for x in (image, expected)
        ]
        first, second = (
            {
                name: keras.ops.convert_to_numpy(x)[0, : size[0], : size[1]]
                for name, x in values.items()
            }
            for values in outputs
        )
        np.testing.assert_array_equal(first["semseg"], second["semseg"])
        assert np.abs(first["depth"] - second["depth"]).max() < 1e-4
        count += 1
    assert count == 8


@pytest.mark.parametrize(
    ("shape", "canvas", "size"),
    [
        # 640x480 was squeezed to 80x64, and 1000x888 stretched to 64x64.
        ((480, 640), (64, 96), (64, 85)),
        ((888, 1000), (64, 80), (64, 72)),
        ((640, 480), (96, 64), (85, 64)),
        ((64, 64), (64, 64), (64, 64)),
    ],
)
def test_the_aspect_ratio_is_kept(load_recipe, shape, canvas, size):
    recipe = load_recipe("shared.photographs")
    photograph = np.zeros((*shape, 3), "uint8")
    assert recipe.canvas_of(photograph, 64) == canvas
    batches = recipe.batches([("path", photograph)], 64, batch_size=1)
    (((_, image, received),),) = batches
    assert image.shape == (*canvas, 3) and received == size
