import numpy as np
import pytest

import keras_s4t
from keras_s4t.export import agreement

IMAGES = np.zeros((1, 2, 3, 3), "uint8")
LOGITS = np.array([[3.0, 1.0], [0.0, 5e-5]], "float32").reshape((1, 2, 1, 2))


def classes(outputs):
    return {
        "semseg": outputs["semseg"].argmax(-1).astype("int32"),
        "depth": np.expm1(outputs["depth"]),
    }


def references():
    depth = np.linspace(0, 5, 2, dtype="float32").reshape((1, 2, 1, 1))
    return {"semseg": LOGITS, "depth": depth}


def check(outputs, values=classes, tolerance=1e-4):
    agreement.check(IMAGES, outputs, references(), values, tolerance)


def test_equal_values_agree():
    check(classes(references()))
    check(references(), lambda outputs: outputs)


@pytest.mark.parametrize("factor, agrees", [(0.9, True), (2.0, False)])
def test_raw_outputs_may_differ_by_the_tolerance(factor, agrees):
    outputs = references()
    # Relative to the largest, 5.0.
    outputs["depth"] = outputs["depth"] + np.float32(factor * 5e-4)
    if agrees:
        check(outputs, lambda outputs: outputs)
    else:
        with pytest.raises(RuntimeError, match="task 'depth'.*1, 2, 3, 3"):
            check(outputs, lambda outputs: outputs)


@pytest.mark.parametrize("factor, agrees", [(0.9, True), (4.0, False)])
def test_values_may_differ_by_what_that_makes_of_them(factor, agrees):
    outputs = references()
    outputs["depth"] = outputs["depth"] + np.float32(factor * 2.5e-4)
    outputs = classes(outputs)
    # The far value moves by 150 times as much.
    assert abs(outputs["depth"] - np.expm1(references()["depth"])).max() > 0.03
    if agrees:
        check(outputs)
    else:
        with pytest.raises(RuntimeError, match="agree with `predict`"):
            check(outputs)


def test_classes_may_differ_only_where_logits_nearly_tie():
    outputs = classes(references())
    assert outputs["semseg"].ravel().tolist() == [0, 1]
    outputs["semseg"][0, 1] = 0
    check(outputs)
    outputs["semseg"][0, 0] = 1
    with pytest.raises(RuntimeError, match="task 'semseg'"):
        check(outputs)


@pytest.mark.parametrize("wrong", ["name", "shape", "dtype", "nan"])
def test_files_of_another_form_are_refused(wrong):
    outputs = classes(references())
    if wrong == "name":
        outputs["output_0"] = outputs.pop("depth")
    elif wrong == "shape":
        outputs["depth"] = outputs["depth"][:, :1]
    elif wrong == "dtype":
        outputs["semseg"] = outputs["semseg"].astype("int64")
    else:
        outputs["depth"] = outputs["depth"] * np.float32("nan")
    with pytest.raises(RuntimeError, match="The exported file must"):
        check(outputs)


class Strided:
    """Predicts images of some sizes only."""

    def __init__(self, multiple):
        self.multiple = multiple

    def predict(self, images, verbose):
        if images.shape[1] % self.multiple or images.shape[2] % self.multiple:
            raise TypeError("odd")
        return {"depth": images[..., :1].astype("float32")}


def test_the_sizes_are_two_even_and_two_odd_ones():
    batches, outputs = agreement.references(
        Strided(1), (None, None, None, 3), "uint8"
    )
    sizes = [batch.shape[1:] for batch in batches]
    assert sizes == [(64, 96, 3), (65, 97, 3), (96, 64, 3), (33, 65, 3)]
    assert {len(batch) for batch in batches} == {1, 2}
    assert all(batch.dtype == "uint8" for batch in batches)
    for batch, output in zip(batches, outputs, strict=True):
        np.testing.assert_array_equal(output["depth"], batch[..., :1])


def test_a_fixed_size_is_the_only_one():
    batches, _ = agreement.references(Strided(1), (4, 8, 6, 3), "float32")
    assert [batch.shape for batch in batches] == [(4, 8, 6, 3)]
    assert batches[0].dtype == "float32" and batches[0].max() > 128


def test_sizes_that_the_network_refuses_are_left_out():
    shape = (None, None, None, 3)
    batches, _ = agreement.references(Strided(32), shape, "uint8")
    assert [batch.shape[1:3] for batch in batches] == [(64, 96), (96, 64)]
    with pytest.raises(ValueError, match="input_signature.*odd"):
        agreement.references(Strided(7), shape, "uint8")


def test_ids_agree_with_keras():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(2, 5, 4, 7)).astype("float32").round(1)
    ids = keras_s4t.tasks.semseg(7).postprocess(logits)
    # Rounding made ties: the first of equal ones.
    np.testing.assert_array_equal(np.asarray(ids), logits.argmax(-1))
