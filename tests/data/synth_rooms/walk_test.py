"""Tests of walks: the path, the phases, determinism and the arrays."""

import numpy as np
import pytest

import keras_s4t
from keras_s4t.data.synth_rooms import DOMAINS
from keras_s4t.data.synth_rooms import SynthRooms
from keras_s4t.data.synth_rooms import Walk
from keras_s4t.data.synth_rooms.rendering.packed_scene import PackedScene
from keras_s4t.data.synth_rooms.rendering.primitives import BOX
from keras_s4t.data.synth_rooms.rendering.primitives import ELLIPSOID
from keras_s4t.data.synth_rooms.room.room_builder import build_room
from keras_s4t.data.synth_rooms.walking import walk as walk_module
from keras_s4t.data.synth_rooms.walking.camera_path import plan_path
from keras_s4t.data.synth_rooms.walking.schedule import make_schedule

pytestmark = pytest.mark.eager

SOURCE, EVENING, SENSOR = (DOMAINS[n] for n in ("source", "evening", "sensor"))
ROOMS = range(12)
FRAMES = 50

# Eight frames, "test", 32 pixels, seed 0, version 1.0.0.
GOLDEN_CLASS_COUNTS = [4102, 1733, 244, 141, 145, 402, 1061, 249, 24]
GOLDEN_MEAN_COLOR = [140.846, 118.387, 102.343]
GOLDEN_MEAN_DEPTH = 2.47313


def make_walk(length=8, **options):
    return SynthRooms("test", size=16).walk(length, **options)


@pytest.fixture(scope="module", params=["source", "clutter"])
def rooms(request):
    """Pairs of a room and the path through it."""
    domain = DOMAINS[request.param]
    return [
        (
            PackedScene(build_room(domain, (0, 0, i))),
            plan_path(domain, (0, 0, i), FRAMES),
        )
        for i in ROOMS
    ]


def gap_to_parts(packed, point):
    """The least distance of a point from any part, by boxes around parts."""
    group = packed.part_group
    offset = point - packed.group_position[group]
    local = np.einsum("pji,pj->pi", packed.group_rotation[group], offset)
    low, high = packed.part_low.copy(), packed.part_high.copy()
    for i, shape in enumerate(packed.part_shape):
        a, b = packed.part_low[i], packed.part_high[i]
        if shape == ELLIPSOID:
            low[i], high[i] = a - b, a + b
        elif shape != BOX:
            radius = max(b[0], b[1])
            low[i] = a[0] - radius, a[1] - radius, a[2]
            high[i] = a[0] + radius, a[1] + radius, b[2]
    outside = np.maximum(np.maximum(low - local, local - high), 0)
    return np.linalg.norm(outside, axis=1).min()


def test_camera_is_in_the_room_and_not_in_furniture(rooms):
    for packed, path in rooms:
        for place in path.places[::3]:
            for height in (0.6, 1.5):
                point = np.array([*place, height])
                assert (point > 0.1).all()
                assert (point < packed.size - 0.1).all()
                assert gap_to_parts(packed, point) > 0.08


def test_camera_stays_off_the_footprints(rooms):
    for packed, path in rooms:
        for f in packed.scene.footprints:
            inside = (
                np.abs(path.places - [f.x, f.y]) * 2
                < [
                    f.width,
                    f.depth,
                ]
            ).all(1)
            assert f.height == 0 or not inside.any()


def test_camera_moves_and_turns_smoothly(rooms):
    for _, path in rooms:
        steps = np.linalg.norm(np.diff(path.places, axis=0), axis=1)
        assert steps.max() < 0.08
        assert 1.2 < steps.sum() < 4
        jerks = np.linalg.norm(np.diff(path.places, 2, axis=0), axis=1)
        assert jerks.max() < 0.04
        turns = np.degrees(np.abs(np.diff(path.yaws)))
        assert turns.max() < 7
    turned = [np.ptp(path.yaws) for _, path in rooms]
    assert np.degrees(np.median(turned)) > 30


def test_phases_rooms_and_blends():
    walk = make_walk(80, frames_per_room=8)
    names = ["source", "evening", "source_2", "sensor"]
    assert walk.phases.tolist() == [n for n in names for _ in range(20)]
    assert walk.rooms.tolist() == [i // 8 for i in range(80)]
    expected = [1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6] + [1.0] * 15
    np.testing.assert_allclose(walk.blends[20:40], expected)
    np.testing.assert_allclose(walk.blends[:20], 1)
    assert len(walk) == 80


def test_unequal_phases_and_their_names():
    walk = make_walk(10, phases=["retro", SENSOR, "retro"])
    names = ["retro"] * 3 + ["sensor"] * 4 + ["retro_2"] * 3
    assert walk.phases.tolist() == names
    for phases in ("evening", EVENING):
        assert set(make_walk(3, phases=phases).phases) == {"evening"}
    start = SynthRooms(domain="robot", size=16).walk(4).phases
    assert start.tolist() == ["robot", "evening", "robot_2", "sensor"]


def test_light_is_blended_and_the_room_stays():
    frames = make_schedule(
        [SOURCE, EVENING], 40, frames_per_room=100, blend=0.5
    )
    powers = [frame.domain.ambient[0] for frame in frames]
    steps = np.diff(powers[19:31])
    np.testing.assert_allclose(steps, (0.1 - 0.42) / 11)
    assert powers[19] == 0.42 and powers[30:] == [0.1] * 10
    assert {frame.room for frame in frames} == {0}
    assert {frame.room_domain for frame in frames} == {SOURCE}
    assert {frame.domain.key_offset for frame in frames} == {SOURCE.key_offset}


def test_new_room_has_the_lamp_of_its_phase():
    frames = make_schedule([SOURCE, EVENING], 40, frames_per_room=15, blend=0)
    offsets = [frame.domain.key_offset for frame in frames]
    assert offsets == [SOURCE.key_offset] * 30 + [EVENING.key_offset] * 10
    assert [f.domain.exposure for f in frames[20:]] == [EVENING.exposure] * 20


@pytest.mark.parametrize("name", ["retro", "clutter", "mixed"])
def test_other_materials_and_objects_begin_in_a_new_room(name):
    domain = DOMAINS[name]
    frames = make_schedule([SOURCE, domain], 40, frames_per_room=15, blend=0.5)
    rooms = [frame.room for frame in frames]
    assert rooms == [0] * 15 + [1] * 5 + [2] * 15 + [3] * 5
    for frame in frames[20:]:
        assert frame.domain.clutter == domain.clutter
        assert frame.domain.wall_kinds == domain.wall_kinds


def test_evening_is_reached_and_left():
    walk = make_walk(40, frames_per_room=5)
    images = walk.arrays(verbose=0)["image"].astype(float)
    levels = images.mean((1, 2, 3))
    # The same rooms and ways, always by daylight.
    daylight = make_walk(40, frames_per_room=5, phases=["source"])
    plain = daylight.arrays(verbose=0)["image"].astype(float)
    full = walk.blends == 1
    darker = levels / plain.mean((1, 2, 3))
    flatter = (images.std((1, 2)) / plain.std((1, 2))).mean(1)
    assert darker[full & (walk.phases == "evening")].mean() < 0.8
    for name in ("source", "source_2"):
        np.testing.assert_array_equal(darker[full & (walk.phases == name)], 1)
    assert flatter[full & (walk.phases == "sensor")].mean() < 0.85


def test_gradual_change_within_a_room():
    """No step of the light is larger than a few times the mean one."""
    options = {"phases": ["source", "evening"], "frames_per_room": 32}
    walk = make_walk(32, blend=1, **options)
    gradual = np.diff([walk[i]["image"].mean() for i in range(15, 32)])
    walk = make_walk(32, blend=0, **options)
    abrupt = np.diff([walk[i]["image"].mean() for i in range(15, 32)])
    assert abs(abrupt[0]) > 20
    assert np.abs(gradual).max() < 0.4 * abs(abrupt[0])


def test_frames_are_those_of_the_scene():
    """Without motion of the phase, a frame has the room of the images."""
    walk = make_walk(8, frames_per_room=4)
    record = walk[5]
    image = SynthRooms("test", size=16)[1]
    assert record.keys() == image.keys()
    for name, value in image.items():
        if name != "id":
            assert record[name].dtype == value.dtype
            assert record[name].shape == value.shape
    assert record["id"] == "synth_rooms/walk/test/000005"
    assert 0.15 < record["depth"].min() and record["depth"].max() < 8


def test_consecutive_frames_differ_in_noise_and_view():
    walk = make_walk(50, phases=["source"])
    first, second = walk[10]["image"], walk[11]["image"]
    assert 0.5 < np.abs(first - second).mean() < 40
    depth, other = walk[10]["depth"], walk[11]["depth"]
    assert 0 < np.abs(depth - other).mean() < 0.5


def test_frames_depend_on_nothing_that_was_rendered_before():
    walk = make_walk(8, frames_per_room=4)
    forward = [walk[i] for i in range(8)]
    plan_path.cache_clear()
    for i in (6, 1, 7, 0):
        for name, value in make_walk(8, frames_per_room=4)[i].items():
            np.testing.assert_array_equal(value, forward[i][name])


def test_worker_processes_render_equal_bytes():
    walk = make_walk(12, frames_per_room=5)
    here = walk.arrays(verbose=0)
    there = walk.arrays(workers=2, verbose=0)
    for name, array in here.items():
        assert array.tobytes() == there[name].tobytes()


def test_cache(tmp_path, monkeypatch):
    walk = make_walk(4)
    first = walk.arrays(tmp_path, verbose=0)
    (path,) = tmp_path.iterdir()
    assert path.name == f"synth_rooms_walk_test_16_{walk.fingerprint}.npz"
    monkeypatch.setattr(walk_module, "render_view", None)
    second = make_walk(4).arrays(tmp_path, verbose=0)
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name])


def test_fingerprint_tells_everything_apart(monkeypatch):
    variants = [
        make_walk(),
        make_walk(9),
        make_walk(phases=["source", "evening"]),
        make_walk(phases=[SOURCE.replace(blur=(0.0, 0.36)), "evening"]),
        make_walk(frames_per_room=49),
        make_walk(blend=0.3),
        SynthRooms("train", size=16).walk(8),
        SynthRooms("test", size=17).walk(8),
        SynthRooms("test", size=16, seed=1).walk(8),
        SynthRooms("test", size=16, edge_sigma=0).walk(8),
    ]
    found = {walk.fingerprint for walk in variants}
    monkeypatch.setattr(walk_module, "WALK_VERSION", "0")
    found.add(make_walk().fingerprint)
    assert len(found) == len(variants) + 1
    monkeypatch.undo()
    # The number of images and their domain are not those of the walk.
    rooms = SynthRooms("test", "retro", 16, num_examples=1)
    phases = ("source", "evening", "source", "sensor")
    assert rooms.walk(8, phases).fingerprint == make_walk().fingerprint


def test_dataset_and_batches_give_the_frames_in_order():
    tasks = ["semseg", "depth"]
    walk = make_walk(5)
    arrays = walk.arrays(verbose=0)
    pairs = zip(
        walk.dataset(tasks, batch_size=2, verbose=0),
        (walk.batches(tasks, batch_size=2, verbose=0)[i] for i in range(3)),
        keras_s4t.data.load(
            "synth_rooms/walk", "test", tasks, 2, size=16, num_examples=5
        ),
        strict=True,
    )
    for i, several in enumerate(pairs):
        rows = slice(2 * i, 2 * i + 2)
        for images, labels, masks in several:
            np.testing.assert_array_equal(images, arrays["image"][rows])
            assert labels.keys() == masks.keys() == set(tasks)
            np.testing.assert_array_equal(
                np.squeeze(labels["semseg"]), arrays["semseg"][rows].squeeze()
            )
            np.testing.assert_array_equal(
                masks["semseg"][..., 0], arrays["semseg"][rows] != 255
            )


def test_walk_by_name_has_a_thousand_frames(monkeypatch):
    lengths = []

    def arrays(walk, *args):
        lengths.append(len(walk))
        return {
            "image": np.zeros((1, 16, 16, 3), "uint8"),
            "depth": np.ones((1, 16, 16, 1), "float16"),
        }

    monkeypatch.setattr(Walk, "arrays", arrays)
    keras_s4t.data.load("synth_rooms/walk", "test", ["depth"], size=16)
    assert lengths == [1000]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"length": 0}, "`length` must be an int of at least 1.*length=0"),
        ({"phases": ["moon"]}, "one of .*'source'.*domain='moon'"),
        ({"phases": []}, "at least one phase.*0 phases"),
        ({"length": 3}, "a frame for each.*4 phases, length=3"),
        ({"frames_per_room": 0}, "`frames_per_room` must be .*=0"),
        ({"blend": 1.5}, r"`blend` must be in \[0, 1\].*blend=1.5"),
        ({"blend": float("nan")}, "blend=nan"),
        ({"blend": "slow"}, "blend='slow'"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        make_walk(**options)


def test_pixels_and_labels_are_those_of_this_version():
    """Fails when a pixel changes. `WALK_VERSION` must be raised then."""
    walk = SynthRooms("test", size=32).walk(8, frames_per_room=2)
    arrays = walk.arrays(verbose=0)
    counts = np.bincount(arrays["semseg"].ravel(), minlength=256)
    np.testing.assert_allclose(counts[:9], GOLDEN_CLASS_COUNTS, atol=3)
    np.testing.assert_allclose(
        arrays["image"].mean((0, 1, 2)), GOLDEN_MEAN_COLOR, atol=0.05
    )
    np.testing.assert_allclose(
        arrays["depth"].astype(float).mean(), GOLDEN_MEAN_DEPTH, atol=1e-3
    )
