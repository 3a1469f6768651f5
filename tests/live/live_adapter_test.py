"""Frames in, predictions out."""

import json
import os
import pathlib
import resource
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
import tiny
from tiny_live import SIZE
from tiny_live import collect
from tiny_live import make_frames
from tiny_live import make_live

import keras_s4t
from keras_s4t import live as live_room
from keras_s4t.live import LiveAdapter


def assert_equal(received, expected, **tolerance):
    assert set(received) == set(expected)
    for name in expected:
        if tolerance:
            np.testing.assert_allclose(
                received[name], expected[name], **tolerance
            )
        else:
            np.testing.assert_array_equal(received[name], expected[name])


@pytest.mark.eager
def test_frames_are_adapted_to_in_windows():
    frames = make_frames(8)
    live, adapter = make_live(), tiny.make_adapter()
    for i, frame in enumerate(frames):
        prediction = live(frame)
        # A full window, and then every second frame.
        if i in (3, 5, 7):
            adapter.train_on_batch(frames[i - 3 : i + 1])
        outputs = adapter.predict_on_batch(frames[i : i + 1])
        values = adapter.network.postprocess(outputs)
        expected = {
            name: keras.ops.convert_to_numpy(value)[0]
            for name, value in values.items()
        }
        assert_equal(prediction, expected)
    report = live.report()
    assert report["frames"] == 8 and report["windows"] == 3
    assert report["actions"]["adapted"] == 3
    assert report["predicts"] == "adapted"
    assert report["statistics_distance"] > 0
    assert report["prediction_seconds"]["median"] > 0


@pytest.mark.eager
def test_images_have_one_dtype(monkeypatch):
    # Another one would compile everything once more.
    dtypes = set()
    for name in ("train_on_batch", "predict_on_batch"):
        plain = getattr(keras_s4t.TargetAdapter, name)

        def spy(self, x, *args, plain=plain, **kwargs):
            dtypes.add(str(x.dtype))
            return plain(self, x, *args, **kwargs)

        monkeypatch.setattr(keras_s4t.TargetAdapter, name, spy)
    live = make_live()
    collect(live)
    for frame in make_frames(6):
        assert frame.dtype == "uint8"
        live(frame)
    assert dtypes == {"float32"}


@pytest.mark.eager
def test_a_batch_is_its_frames():
    frames = make_frames(4)
    one, other = make_live(adapt_every=4), make_live(adapt_every=4)
    batch = one(frames)
    singles = [other(frame) for frame in frames]
    # All of a batch are predicted after the update.
    for name, values in batch.items():
        assert values.shape[0] == 4
        np.testing.assert_allclose(
            values[-1], singles[-1][name], rtol=1e-5, atol=1e-6
        )
    assert one.frame_id == other.frame_id == 3


@pytest.mark.eager
def test_padding_is_cropped():
    live = make_live(multiple=8)
    prediction = live(make_frames(1, size=(13, 18))[0])
    assert prediction["semseg"].shape == (13, 18)
    assert prediction["depth"].shape == (13, 18, 1)
    padded = live.window.frames[0]
    assert padded.shape == (16, 24, 3)
    np.testing.assert_array_equal(padded[13:, :18], padded[12:13, :18][[0] * 3])


@pytest.mark.eager
def test_frames_that_are_not_predicted():
    live = make_live(predict_every=3)
    received = [live(frame) is not None for frame in make_frames(7)]
    assert received == [True, False, False, True, False, False, True]
    assert live.report()["windows"] == 2


@pytest.mark.eager
def test_methods_that_normalize_with_the_batch():
    # They predict a frame among the frames before it.
    frames = make_frames(6)
    live = make_live(tiny.make_adapter(keras_s4t.methods.Tent()))
    for frame in frames:
        prediction = live(frame)
    outputs = live.adapter.predict_on_batch(frames[-4:])
    values = live.adapter.network.postprocess(outputs)
    expected = keras.ops.convert_to_numpy(values["depth"])[-1]
    np.testing.assert_allclose(prediction["depth"], expected, rtol=1e-5)


@pytest.mark.eager
def test_prediction_before_the_update():
    adapter, other = tiny.make_adapter(), tiny.make_adapter()
    adapter.compile(keras.optimizers.SGD(1e-2), predict="before")
    frames = make_frames(4)
    live = make_live(adapter)
    for frame in frames:
        prediction = live(frame)
    values = other.network.postprocess(other.predict_on_batch(frames[3:]))
    expected = keras.ops.convert_to_numpy(values["depth"])[0]
    np.testing.assert_array_equal(prediction["depth"], expected)
    assert live.report()["windows"] == 1


@pytest.mark.eager
@pytest.mark.parametrize("fault", ["not finite", "blank", "frozen"])
def test_bad_frames_are_kept_from_adaptation(fault):
    frames = make_frames(5).astype("float32")
    live, other = make_live(), make_live()
    bad = {
        "not finite": np.where(frames[2] > 250, np.nan, frames[2]),
        "blank": np.full_like(frames[2], 7),
        "frozen": frames[1],
    }[fault]
    predictions = []
    for frame in [*frames[:2], bad, *frames[2:]]:
        predictions.append(live(frame))
    for frame in frames:
        expected = other(frame)
    assert_equal(predictions[-1], expected)
    report = live.report()
    assert report["skipped"] == {fault: 1}
    assert report["frames"] == 6
    is_nan = np.isnan(predictions[2]["depth"]).all()
    assert is_nan == (fault == "not finite")
    assert np.all(predictions[2]["semseg"] == -1) == (fault == "not finite")


@pytest.mark.eager
def test_a_step_that_is_not_finite():
    adapter = tiny.make_adapter()
    adapter.compile(keras.optimizers.SGD(1e-2))
    live = make_live(adapter)
    kernel = adapter.method.synchronizer.trainable_variables[0]
    kernel.assign(np.full(kernel.shape, np.inf, "float32"))
    before = tiny.numpy_values(adapter.network.variables)
    with pytest.warns(UserWarning, match="steps were skipped"):
        for frame in make_frames(4):
            live(frame)
    assert live.report()["actions"]["skipped"] == 1
    assert not tiny.moved(adapter.network.variables, before)


@pytest.mark.eager
def test_frames_of_another_size():
    live = make_live()
    live(make_frames(1)[0])
    with pytest.raises(ValueError, match=r"Received: a frame of size \(12, 20"):
        live(make_frames(1, size=(12, 20))[0])
    assert live.frame_id == 0 and len(live.window.frames) == 1
    live = make_live(size_change="rescale")
    live(make_frames(1)[0])
    assert live(make_frames(1, size=(12, 20))[0])["semseg"].shape == SIZE
    live = make_live(size=(8, 12))
    assert live(make_frames(1)[0])["semseg"].shape == (8, 12)


@pytest.mark.eager
def test_gray_frames():
    live, other = make_live(), make_live()
    gray = make_frames(1)[0, ..., 0]
    with pytest.warns(UserWarning, match="gray"):
        received = live(gray)
    expected = other(np.stack([gray] * 3, axis=-1))
    assert_equal(received, expected)


@pytest.mark.eager
@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((16, 16, 4), "uint8"),
        np.zeros((16, 16, 3), "int32"),
        np.zeros((0, 16, 3), "uint8"),
        np.zeros(16, "uint8"),
        "frame.png",
    ],
)
def test_what_is_no_frame(frame):
    live = make_live()
    with pytest.raises(ValueError, match="A frame must be a uint8 or float"):
        live(frame)
    assert live.frame_id == -1


@pytest.mark.eager
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("window", 0),
        ("adapt_every", 1.5),
        ("steps", 0),
        ("predict_every", 0),
        ("check_every", -1),
        ("reset_every", 0),
        ("history", 0),
        ("restore", 1.5),
        ("multiple", 0),
        ("size", (0, 4)),
        ("size_change", "crop"),
    ],
)
def test_options_out_of_range(option, value):
    with pytest.raises(ValueError, match=f"`{option}` must be"):
        make_live(**{option: value})


@pytest.mark.eager
def test_adapters_that_are_not_ready():
    with pytest.raises(ValueError, match="compile"):
        LiveAdapter(
            keras_s4t.TargetAdapter(
                tiny.make_network(), keras_s4t.methods.Tent()
            )
        )
    method = keras_s4t.methods.ActMAD()
    with pytest.raises(ValueError, match="must be prepared on the source"):
        make_live(tiny.make_adapter(method))


@pytest.mark.eager
def test_collect_leaves_everything_as_it_was():
    live = make_live()
    before = tiny.numpy_values(live.adapter.variables)
    found = collect(live)
    assert not tiny.moved(live.adapter.variables, before)
    assert set(found["limits"]) == {
        "loss",
        "semseg_spread",
        "semseg_drift",
        "depth_spread",
        "depth_drift",
    }
    assert set(found["corrections"]) == {"source", "batch_norm", "adapted"}
    assert found["corrections"]["source"] == 0
    assert [row["appearance"] for row in found["appearances"]] == [
        "source",
        "contrast",
    ]
    errors = [
        row["true"]["batch_norm"] - row["estimated"]["batch_norm"]
        for row in found["appearances"]
    ]
    np.testing.assert_allclose(
        found["corrections"]["batch_norm"], np.mean(errors)
    )
    # As if nothing had been collected.
    frames, other = make_frames(4), make_live()
    live.adaptation.choice = None
    for frame in frames:
        received, expected = live(frame), other(frame)
    assert_equal(received, expected)


@pytest.mark.eager
@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"memory": 3}, "at least the window"),
        ({"memory": 16}, "leave as many"),
        ({"num_images": 99}, "at least num_images=99"),
        ({"corruptions": ("rain",)}, "Received: 'rain'"),
        ({"severity": 9}, "severity"),
        ({"tolerance": 0.5}, "tolerance"),
    ],
)
def test_collect_of_what_is_not_possible(tmp_path, options, text):
    live = make_live()
    with pytest.raises(ValueError, match=text):
        collect(live, **options)
    assert live.adaptation.guard is None and live.adaptation.choice is None
    live.save(tmp_path)
    assert LiveAdapter.load(tmp_path).limits() == live.limits()


@pytest.mark.eager
def test_collect_without_labels():
    images, labels, _ = tiny.make_arrays(16, count=2)
    with pytest.raises(ValueError, match="labels of type NoneType"):
        make_live().collect([images], num_images=16, memory=8)
    with pytest.raises(ValueError, match=r"without labels of \['depth'\]"):
        make_live().collect(
            [(images, {"semseg": labels["semseg"]})], num_images=16, memory=8
        )


def diverging():
    adapter = tiny.make_adapter()
    adapter.compile(keras.optimizers.SGD(30.0))
    return adapter


@pytest.mark.eager
def test_divergence_ends_as_batch_norm(tmp_path):
    live = make_live(diverging(), audit=tmp_path / "audit.jsonl")
    # The limits are those of a rate that works.
    careful = make_live()
    limits = collect(careful)["limits"]
    collect(live)
    live.adaptation.guard.limits = limits
    live.adaptation.choice = None
    control = live.adapter.source_copy(keras_s4t.methods.BatchNormOnly())
    control.compile()
    frames = make_frames(20)
    for i, frame in enumerate(frames):
        received = live(frame)
        if i >= 3 and i % 2:
            control.train_on_batch(frames[i - 3 : i + 1])
    values = control.network.postprocess(control.predict_on_batch(frames[-1:]))
    assert live.predicts == "batch_norm"
    np.testing.assert_allclose(
        received["depth"],
        keras.ops.convert_to_numpy(values["depth"])[0],
        rtol=1e-4,
    )
    counts = live.report()["actions"]
    assert counts["reset"] and counts["held"]
    records = live_room.read_audit(tmp_path / "audit.jsonl")
    assert len(records) == live.report()["windows"] == 9
    reasons = " ".join(record["reason"] for record in records)
    assert "is above" in reasons or "is below" in reasons
    assert records[-1]["predicts"] == "batch_norm"


@pytest.mark.eager
def test_a_good_state_is_returned_to():
    live = make_live()
    collect(live)
    live.adaptation.choice = None
    frames = make_frames(8)
    for frame in frames[:6]:
        live(frame)
    assert live.report()["actions"]["adapted"] == 2
    good = tiny.numpy_values(live.adapter.network.variables)
    live.adaptation.guard.limits = {"loss": -1.0}
    for frame in frames[6:]:
        live(frame)
    assert live.report()["actions"]["rolled_back"] == 1
    assert not tiny.moved(live.adapter.network.variables, good)
    assert live.predicts == "batch_norm"


@pytest.mark.eager
def test_periodic_reset():
    live = make_live(reset_every=2)
    for frame in make_frames(6):
        live(frame)
    assert live.report()["actions"] == {
        "adapted": 1,
        "held": 0,
        "skipped": 0,
        "rolled_back": 0,
        "reset": 1,
    }
    source = live.adapter.source_values()
    for variable in live.adapter.network.variables:
        np.testing.assert_array_equal(
            keras.ops.convert_to_numpy(variable), source[id(variable)]
        )


@pytest.mark.eager
def test_a_share_of_the_weights_is_restored():
    frames = make_frames(4)
    plain, restored = make_live(), make_live(restore=0.5)
    for frame in frames:
        plain(frame), restored(frame)
    source = plain.adapter.source_values()
    shares = []
    for moved, variable in zip(
        plain.adapter.updated_variables,
        restored.adapter.updated_variables,
        strict=True,
    ):
        old = source[id(moved)]
        new = keras.ops.convert_to_numpy(moved)
        received = keras.ops.convert_to_numpy(variable)
        assert np.all((received == old) | (received == new))
        if np.any(new != old) and new.size > 50:
            shares.append(np.mean(received[new != old] == old[new != old]))
    assert 0.4 < np.mean(shares) < 0.6
    for frame in make_frames(2, seed=5):
        restored(frame)


@pytest.mark.eager
def test_the_model_that_scores_best_predicts():
    live = make_live()
    collect(live)
    live.adaptation.choice.errors = {"source": (50.0, 1)}
    frames = make_frames(4)
    other = tiny.make_adapter()
    for frame in frames:
        received = live(frame)
    assert live.predicts == "source"
    assert live.report()["actions"]["held"] == 1
    values = other.network.postprocess(other.predict_on_batch(frames[3:]))
    np.testing.assert_allclose(
        received["depth"],
        keras.ops.convert_to_numpy(values["depth"])[0],
        rtol=1e-5,
    )


@pytest.mark.eager
def test_late_labels(tmp_path):
    live = make_live(audit=tmp_path / "audit.jsonl", history=4)
    collect(live)
    frames = make_frames(6)
    for frame in frames:
        prediction = live(frame)
    images, labels, _ = tiny.make_arrays(1, seed=4, count=2)
    label = {name: value[0] for name, value in labels.items()}
    before = tiny.numpy_values(live.adapter.variables)
    corrections = live.limits()["corrections"]
    received = live.observe(5, label)
    assert not tiny.moved(live.adapter.variables, before)
    assert received["predicted"] == live.predicts
    difference = prediction["depth"] - label["depth"]
    np.testing.assert_allclose(
        received["metrics"]["depth_rmse"],
        np.sqrt(np.mean(difference**2)),
        rtol=1e-5,
    )
    assert live.limits()["corrections"] != corrections
    record = live_room.read_audit(tmp_path / "audit.jsonl")[-1]
    assert record["observed"] == 5 and record["gains"]["source"] == 0
    # The correction is the mean error of all estimates.
    total, count = live.adaptation.choice.errors["batch_norm"]
    assert count == 3
    with pytest.raises(ValueError, match="kept: 2 ... 5"):
        live.observe(0, label)
    with pytest.raises(ValueError, match="must have the shape"):
        live.observe(5, {"depth": label["depth"][:4]})


@pytest.mark.eager
@pytest.mark.parametrize("background", [False, True])
def test_going_on_from_a_saved_state(tmp_path, background):
    keras.utils.set_random_seed(1)
    adapter = tiny.make_adapter()
    adapter.compile(keras.optimizers.SGD(1e-2, momentum=0.9))
    live = make_live(adapter, background=background, restore=0.1)
    collect(live)
    frames = make_frames(14)
    for frame in frames[:7]:
        live(frame)
        live.wait()
    live.save(tmp_path / "state")
    other = LiveAdapter.load(tmp_path / "state")
    assert other.report()["frames"] == 7
    assert other.limits() == live.limits()
    for frame in frames[7:]:
        expected, received = live(frame), other(frame)
        live.wait(), other.wait()
        assert_equal(received, expected)
    for one, two in zip(
        live.adapter.variables, other.adapter.variables, strict=True
    ):
        np.testing.assert_array_equal(
            keras.ops.convert_to_numpy(one), keras.ops.convert_to_numpy(two)
        )
    assert other.adaptation.estimates == live.adaptation.estimates
    one, two = live.report(), other.report()
    for key in ("frames", "windows", "actions", "predicts"):
        assert one[key] == two[key]
    other.reset(), live.reset()
    assert_equal(other(frames[0]), live(frames[0]))
    live.close(), other.close()


@pytest.mark.eager
def test_the_rate_of_frames_begins_anew(tmp_path):
    live = make_live()
    assert live.report()["frames_per_second"] is None
    for frame in make_frames(12):
        live(frame)
    live.save(tmp_path)
    other = LiveAdapter.load(tmp_path)
    start = time.perf_counter()
    other(make_frames(1)[0])
    time.sleep(0.5)
    rate = other.report()["frames_per_second"]
    assert 1 / (time.perf_counter() - start) <= rate <= 2
    assert other.report()["frames"] == 13


@pytest.mark.eager
def test_a_save_that_fails_leaves_the_previous_state(tmp_path, monkeypatch):
    live = make_live()
    live(make_frames(1)[0])
    live.save(tmp_path)
    live(make_frames(2)[1])

    def no_space(*args, **kwargs):
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", no_space)
        with pytest.raises(OSError, match="No space"):
            live.save(tmp_path)
    assert LiveAdapter.load(tmp_path).frame_id == 0
    live.save(tmp_path)
    assert LiveAdapter.load(tmp_path, audit=tmp_path / "a").frame_id == 1
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["a", "current", "state_1"] or names == [
        "current",
        "state_1",
    ]


@pytest.mark.eager
def test_folders_that_are_no_state(tmp_path):
    with pytest.raises(ValueError, match="that `LiveAdapter.save` has written"):
        LiveAdapter.load(tmp_path)
    live = make_live()
    live.save(tmp_path)
    with pytest.raises(ValueError, match="must be the saved ones"):
        LiveAdapter.load(tmp_path, window=2)
    (state,) = tmp_path.glob("state_*")
    (state / "values.json").write_text("{")
    with pytest.raises(ValueError, match="files of a state must be those"):
        LiveAdapter.load(tmp_path)


def test_a_thread_adapts():
    frames = make_frames(8)
    with make_live(background=True) as live:
        other = make_live()
        for frame in frames:
            live(frame), other(frame)
            live.wait()
        # The weights of the last window, which are predicted with from now on.
        received, expected = live(frames[0]), other(frames[0])
        for name in expected:
            np.testing.assert_allclose(
                received[name], expected[name], rtol=1e-5, atol=1e-6
            )
        assert live.report()["windows"] == 3


@pytest.mark.eager
def test_a_thread_that_fails(monkeypatch):
    live = make_live(background=True)

    def fail(images):
        raise MemoryError("too much")

    monkeypatch.setattr(live.adaptation, "update", fail)
    frames = make_frames(8)
    with pytest.warns(UserWarning, match="MemoryError: too much"):
        for frame in frames:
            assert live(frame) is not None
            live.wait()
    assert live.report()["missed"] == 2
    with pytest.raises(RuntimeError, match="ended by an error"):
        live.close()
    live.close()


def test_an_interrupted_update_changes_nothing(monkeypatch):
    live = make_live()
    before = tiny.numpy_values(live.adapter.network.variables)
    monkeypatch.setattr(
        live.adaptation,
        "_restore_some",
        lambda: (_ for _ in ()).throw(KeyboardInterrupt),
    )
    with pytest.raises(KeyboardInterrupt):
        for frame in make_frames(4):
            live(frame)
    assert not tiny.moved(live.adapter.network.variables, before)
    monkeypatch.undo()
    for frame in make_frames(4, seed=9):
        live(frame)


@pytest.mark.eager
def test_two_at_once():
    frames = make_frames(6)
    alone, one, two = make_live(), make_live(), make_live()
    for frame in frames:
        expected = alone(frame)
        received = one(frame)
        two(255 - frame)
    assert_equal(received, expected)


@pytest.mark.eager
def test_run_reads_frames_with_an_image():
    frames = make_frames(3)
    named = [live_room.Frame(f, None, str(i)) for i, f in enumerate(frames)]
    pairs = list(make_live().run(named))
    expected = [prediction for _, prediction in make_live().run(frames)]
    assert [frame.name for frame, _ in pairs] == ["0", "1", "2"]
    for (_, received), other in zip(pairs, expected, strict=True):
        assert_equal(received, other)


@pytest.mark.eager
def test_audit_lines(tmp_path):
    path = tmp_path / "audit.jsonl"
    path.write_text('{"frame": 1}\n{"fra')
    audit = live_room.audit.Audit(path)
    audit.write({"loss": float("nan"), "scores": {"a": float("inf")}})
    assert live_room.read_audit(path) == [
        {"frame": 1},
        {"loss": None, "scores": {"a": None}},
    ]
    assert json.loads(path.read_text().splitlines()[-1])["loss"] is None


KILLED = """
import sys
import numpy as np
from live_adapter_test import make_frames, make_live

live = make_live()
for frame in make_frames(200):
    live(frame)
    live.save(sys.argv[1])
    print(live.frame_id, flush=True)
"""


@pytest.mark.eager
@pytest.mark.slow
def test_a_process_that_is_killed(tmp_path):
    here = pathlib.Path(__file__).parent
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, tmp_path],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(here), *sys.path]),
        },
    ) as process:
        for line in process.stdout:
            if int(line) == 6:
                break
        # Wherever it is: adapting, or in the middle of the next state.
        time.sleep(0.05)
        process.kill()
    live = LiveAdapter.load(tmp_path)
    assert live.frame_id >= 6
    for frame in make_frames(4, seed=5):
        live(frame)
    live.save(tmp_path)
    assert LiveAdapter.load(tmp_path).frame_id == live.frame_id


@pytest.mark.eager
@pytest.mark.parametrize("background", [False, True])
def test_an_audit_on_a_full_disk(tmp_path, background):
    path = tmp_path / "logs" / "audit.jsonl"
    live = make_live(audit=path, background=background)
    frames = make_frames(10)
    for frame in frames[:4]:
        live(frame)
        live.wait()
    # What a full disk took of a line; then nothing can be written at all.
    with path.open("a") as file:
        file.write('{"fra')
    path.rename(tmp_path / "moved")
    path.mkdir()
    with pytest.warns(UserWarning, match="adaptation goes on") as caught:
        for frame in frames[4:8]:
            assert live(frame) is not None
            live.wait()
    told = [w for w in caught if "audit file" in str(w.message)]
    assert len(told) == 1
    path.rmdir()
    (tmp_path / "moved").rename(path)
    for frame in frames[8:]:
        live(frame)
    live.close()
    records = live_room.read_audit(path)
    assert [record["frame"] for record in records] == [3, 9]
    assert live.report()["windows"] == 4


@pytest.mark.long
def test_memory_stays_flat():
    live = make_live(adapt_every=1, check_every=50)
    collect(live)
    rng = np.random.default_rng(0)
    peaks = {}
    for i in range(5004):
        live(rng.integers(0, 256, (*SIZE, 3), "uint8"))
        if i in (1003, 5003):
            # In KiB on Linux.
            usage = resource.getrusage(resource.RUSAGE_SELF)
            peaks[i] = usage.ru_maxrss / 1024
    print(f"{peaks[1003]:.0f} MiB, 4,000 steps later {peaks[5003]:.0f} MiB")
    assert live.report()["windows"] == 5001
    assert peaks[5003] - peaks[1003] < 0.02 * peaks[1003]
