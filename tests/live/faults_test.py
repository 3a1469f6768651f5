"""What cameras, callers and learning rates do wrong."""

import keras
import numpy as np
import pytest
import tiny
from keras import ops
from PIL import Image
from tiny_live import SIZE
from tiny_live import collect
from tiny_live import make_frames
from tiny_live import make_live
from tiny_live import make_source

import keras_s4t
from keras_s4t.live import LiveAdapter
from keras_s4t.live.frames.frame import Frame

pytestmark = pytest.mark.eager


def make_diverging(**kwargs):
    adapter = tiny.make_adapter()
    adapter.compile(keras.optimizers.SGD(1e6), metrics=None)
    return make_live(adapter, adapt_every=4, **kwargs)


@pytest.mark.parametrize("count", [1, 2])
def test_a_camera_may_write_into_its_buffer(count):
    frames = make_frames(12)
    live, other = make_live(), make_live()
    buffer = np.empty((count, *frames.shape[1:]), "uint8")
    for i in range(0, len(frames), count):
        buffer[:] = frames[i : i + count]
        live(buffer)
        other(frames[i : i + count])
    assert live.report()["skipped"] == {}
    assert live.report()["windows"] == other.report()["windows"] > 2
    np.testing.assert_array_equal(live.window.batch(), other.window.batch())


def test_what_is_returned_may_be_changed():
    live = make_live()
    prediction = live(make_frames(1)[0])
    labels = {"depth": prediction["depth"] + 0.5}
    prediction["depth"] *= 1000
    metrics = live.observe(0, labels)["metrics"]
    np.testing.assert_allclose(metrics["depth_rmse"], 0.5, rtol=1e-4)


@pytest.mark.parametrize("value", [300.0, -40.0, 1e8])
def test_frames_out_of_range_are_not_adapted_to(value):
    live, other = make_live(), make_live()
    for frame in make_frames(8):
        live(frame)
        other(frame)
    broken = make_frames(1)[0].astype("float32")
    broken[3, 3, 1] = value
    for _ in range(6):
        prediction = live(broken)
    assert live.report()["skipped"] == {"out of range": 6}
    assert live.report()["windows"] == other.report()["windows"]
    # It is predicted as what can be there.
    expected = other(np.clip(broken, 0, 255))
    np.testing.assert_array_equal(prediction["depth"], expected["depth"])


def test_rounding_beyond_the_range_is_no_fault():
    live = make_live()
    frame = make_frames(1)[0].astype("float32")
    frame[0, 0], frame[1, 1] = 255.4, -0.3
    live(frame)
    assert live.report()["skipped"] == {}


def test_frames_in_the_unit_range_are_told_once():
    live = make_live()
    frames = make_frames(3).astype("float32") / 255
    with pytest.warns(UserWarning) as seen:
        for frame in frames:
            live(frame)
    told = [w for w in seen if "in [0, 1], which are" in str(w.message)]
    assert len(told) == 1
    assert live.report()["skipped"] == {"blank": 3}


def test_frames_that_stay_away_are_told_once():
    live = make_live()
    frame = make_frames(1)[0]
    with pytest.warns(UserWarning) as seen:
        for _ in range(60):
            live(frame)
    (told,) = [str(w.message) for w in seen if "in a row" in str(w.message)]
    assert told.startswith("40 frames") and "{'frozen': 40}" in told


def test_a_broken_frame_is_normalized_as_the_last_good_one():
    live = make_live(tiny.make_adapter(keras_s4t.methods.Tent()))
    frames = make_frames(10).astype("float32")
    for frame in frames[:8]:
        live(frame)
    pair = frames[8:].copy()
    pair[1] = np.nan
    received = live(pair)
    assert np.isnan(received["depth"][1]).all()
    # The frames before complete the batch; the last good one is of the two.
    batch = np.stack([frames[6], frames[7], frames[8], frames[8]])
    outputs = live.adapter.predict_on_batch(batch)
    values = live.adapter.network.postprocess(outputs)
    expected = ops.convert_to_numpy(values["depth"])[2]
    np.testing.assert_allclose(received["depth"][0], expected, rtol=1e-5)


def test_frames_of_files_and_pictures_are_taken_as_they_are():
    frames = make_frames(2)
    live, other = make_live(), make_live()
    first = live(Frame(frames[0], 0.0, "0"))
    np.testing.assert_array_equal(first["depth"], other(frames[0])["depth"])
    picture = Image.fromarray(frames[1]).convert("P")
    expected = other(np.asarray(picture.convert("RGB")))
    np.testing.assert_array_equal(live(picture)["depth"], expected["depth"])
    tensor = ops.convert_to_tensor(frames[0].astype("float32"))
    assert live(tensor)["depth"].shape == (*SIZE, 1)


@pytest.mark.parametrize(
    "frames",
    [[np.zeros((16, 16, 3)), np.zeros((8, 16, 3))], {"image": 3}],
)
def test_what_is_no_frame(frames):
    with pytest.raises(ValueError, match="A frame must be a"):
        make_live()(frames)


@pytest.mark.parametrize("guarded", [False, True])
@pytest.mark.parametrize("check_every", [1, 3, 4])
@pytest.mark.filterwarnings("ignore:.*steps .* skipped")
def test_a_diverging_learning_rate_never_stays(guarded, check_every):
    live = make_diverging(check_every=check_every)
    if guarded:
        collect(live)
    for frame in make_frames(64):
        prediction = live(frame)
    actions = live.report()["actions"]
    assert actions["reset"] + actions["rolled_back"] >= 1
    # It paused after a reset, or is at most a few windows beyond one.
    assert actions["adapted"] + actions["skipped"] < 12
    if guarded:
        assert np.isfinite(prediction["depth"]).all()
        assert live.predicts != "adapted"


def test_calibrates_from_the_source_whatever_was_adapted_to():
    live = make_live()
    for frame in make_frames(8):
        live(frame)
    variables = live.adapter.network.variables
    variables[0].assign(1e20 * ops.ones_like(variables[0]))
    before = tiny.numpy_values(variables)
    found = collect(live)
    assert not tiny.moved(variables, before)
    expected = collect(make_live())
    assert found["limits"].keys() == expected["limits"].keys()
    for name, limit in expected["limits"].items():
        np.testing.assert_allclose(found["limits"][name], limit, rtol=1e-4)


@pytest.mark.filterwarnings("ignore:1 steps were skipped")
def test_a_calibration_that_diverges_is_told():
    with pytest.warns(UserWarning, match="steps on source images were skipp"):
        found = collect(make_diverging(steps=2))
    for name, limit in found["limits"].items():
        assert name == "loss" or limit <= 1


@pytest.mark.parametrize("name", ["semseg", "depth"])
def test_a_task_without_known_labels_cannot_calibrate(name):
    source = make_source()
    for _, labels, masks in source:
        if name == "depth":
            labels[name][:] = np.nan
        else:
            masks[name][:] = 0
    with pytest.raises(ValueError, match=f"no label that is known of .'{name}"):
        make_live().collect(source, num_images=16, memory=8)


def test_batches_of_a_source_must_be_alike():
    for change in (
        lambda x, y, m: (x[:, :8], {k: v[:, :8] for k, v in y.items()}),
        lambda x, y, m: (x, {"depth": y["depth"]}),
    ):
        source = make_source()
        source[1] = change(*source[1])
        with pytest.raises(ValueError, match="images of one size, and labels"):
            make_live().collect(source, num_images=16, memory=8)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"size": 64}, "`size` must be a pair"),
        ({"size": (64.5, 64)}, "`size` must be a pair"),
        ({"restore": "x"}, "`restore` must be in"),
        ({"window": True}, "`window` must be a positive integer"),
    ],
)
def test_arguments_of_another_kind(options, text):
    with pytest.raises(ValueError, match=text):
        make_live(**options)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"num_images": 16.0}, "`num_images` must be a positive"),
        ({"margin": float("nan")}, "`margin` must be finite"),
    ],
)
def test_calibrations_of_another_kind(options, text):
    with pytest.raises(ValueError, match=text):
        collect(make_live(), **options)


def test_numbers_of_numpy_can_be_saved(tmp_path):
    live = make_live(
        window=np.int64(4),
        seed=np.int64(3),
        restore=np.float32(0.5),
        size=np.array(SIZE),
        audit=tmp_path / "audit.jsonl",
    )
    for frame in make_frames(6):
        prediction = live(frame)
    live.observe(np.int64(5), {"depth": prediction["depth"]})
    live.save(tmp_path / "state")
    assert LiveAdapter.load(tmp_path / "state").frame_id == 5


@pytest.mark.parametrize("options", [{"size": (24, 24)}, {"multiple": 32}])
def test_a_state_has_frames_of_one_size(tmp_path, options):
    live = make_live()
    live(make_frames(1)[0])
    live.save(tmp_path / "state")
    with pytest.raises(ValueError, match="must be the saved ones"):
        LiveAdapter.load(tmp_path / "state", **options)


def test_labels_of_some_tasks_correct_what_was_estimated_of_them():
    live = make_live()
    collect(live)
    for frame in make_frames(8):
        prediction = live(frame)
    adaptation = live.adaptation
    noted = []
    adaptation.choice.learn = lambda *values: noted.append(values)
    labels = {"depth": prediction["depth"] + 1}
    live.observe(7, labels)
    measured = adaptation.measured
    before = measured["source"]["depth_rmse"]
    for name, estimated, _ in noted:
        after = measured[name]["depth_rmse"]
        np.testing.assert_allclose(estimated, 100 * (before - after) / before)
    assert {name for name, *_ in noted} == set(measured)
    # A frame counts once.
    live.observe(7, labels)
    assert len(noted) == len(measured)


@pytest.mark.parametrize(
    ("labels", "masks", "text"),
    [
        (None, None, "`labels` must be a dict"),
        ({}, {"depth": np.ones((3, 3, 1))}, "Masks of task 'depth'"),
        ({}, {"deep": np.ones((*SIZE, 1))}, "Masks must be a dict"),
    ],
)
def test_labels_that_do_not_fit(labels, masks, text):
    live = make_live()
    prediction = live(make_frames(1)[0])
    if labels == {}:
        labels = {"depth": prediction["depth"]}
    with pytest.raises(ValueError, match=text):
        live.observe(0, labels, masks)


class Failing(keras_s4t.methods.BatchNormOnly):
    """Fails once."""

    fails = False

    def check_target(self, x, batch_size=None):
        if self.fails:
            self.fails = False
            raise OSError("out of order")


def make_failing(**kwargs):
    adapter = tiny.make_adapter(Failing())
    live = make_live(adapter, adapt_every=4, **kwargs)
    return live, adapter


def test_an_error_moves_neither_model_nor_control(monkeypatch):
    live = make_live(adapt_every=4)
    collect(live)
    for frame in make_frames(4):
        live(frame)
    adaptation = live.adaptation
    before = tiny.numpy_values(live.adapter.network.variables)
    statistics = adaptation.controls.statistics()

    def fail(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(live.adapter, "train_on_batch", fail)
    with pytest.raises(KeyboardInterrupt):
        for frame in make_frames(4, seed=9):
            live(frame)
    assert not tiny.moved(live.adapter.network.variables, before)
    assert adaptation.num_windows == 1 == sum(adaptation.counts.values())
    for a, b in zip(adaptation.controls.statistics(), statistics, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_reset_revives_a_thread_that_failed():
    live, adapter = make_failing(background=True)
    assert live.report()["error"] is None
    adapter.method.fails = True
    frames = make_frames(16)
    for frame in frames[:4]:
        live(frame)
    live.wait()
    assert "out of order" in live.report()["error"]
    with pytest.warns(UserWarning, match="Adaptation has ended by an error"):
        for frame in frames[4:8]:
            live(frame)
    live.reset()
    assert live.report()["error"] is None
    for frame in frames[8:12]:
        live(frame)
    live.wait()
    assert live.report()["windows"] == 1
    live.close()
    with pytest.warns(UserWarning, match="closed: frames are predicted"):
        for frame in frames[12:]:
            live(frame)


def test_what_ended_a_block_is_not_hidden():
    live, adapter = make_failing(background=True)
    adapter.method.fails = True
    with (
        pytest.warns(UserWarning, match="out of order"),
        pytest.raises(KeyError, match="mine"),
        live,
    ):
        for frame in make_frames(4):
            live(frame)
        live.wait()
        raise KeyError("mine")


def test_one_thread_adapts_an_adapter():
    adapter = tiny.make_adapter()
    first = make_live(adapter, background=True)
    with pytest.raises(ValueError, match="whose thread runs"):
        make_live(adapter)
    first.close()
    make_live(adapter)


def test_both_reasons_of_a_reset_are_told():
    live = make_live(adapt_every=4, reset_every=1)
    collect(live)
    live.adaptation.guard.limits = {"depth_drift": -1.0}
    records = []
    live.audit.write = records.append
    for frame in make_frames(4):
        live(frame)
    assert "is above" in records[0]["reason"]
    assert "every 1 windows" in records[0]["reason"]
