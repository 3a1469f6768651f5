"""A walk through SynthRooms, in phases of light."""

import dataclasses
import functools
import numbers

import numpy as np

from keras_s4t.data.array_batches import ArrayBatches
from keras_s4t.data.pipeline.batching import batches
from keras_s4t.data.records import examples_from_arrays
from keras_s4t.data.synth_rooms import domains
from keras_s4t.data.synth_rooms.arguments import check_integer
from keras_s4t.data.synth_rooms.domain import Domain
from keras_s4t.data.synth_rooms.example import example_of
from keras_s4t.data.synth_rooms.random_stream import RandomStream
from keras_s4t.data.synth_rooms.rendered_examples import RenderedExamples
from keras_s4t.data.synth_rooms.rendered_examples import fingerprint_of
from keras_s4t.data.synth_rooms.rendering.packed_scene import PackedScene
from keras_s4t.data.synth_rooms.rendering.viewpoint import draw_camera
from keras_s4t.data.synth_rooms.room.room_builder import build_room
from keras_s4t.data.synth_rooms.sample import SPLITS
from keras_s4t.data.synth_rooms.sample import render_view
from keras_s4t.data.synth_rooms.walking.camera_path import plan_path
from keras_s4t.data.synth_rooms.walking.schedule import make_schedule

# Must be raised whenever a pixel or a label of walks may change while those of
# images do not.
WALK_VERSION = "1.0.0"


class Walk(RenderedExamples):
    """The frames of a camera that walks from room to room.

    Made by `SynthRooms.walk`, which describes the arguments. `walk[i]` is a
    frame with its labels, of the same structure as an example of `SynthRooms`.
    A frame depends on the arguments alone, and on nothing that was rendered
    before.

    Attributes:
        phases: array of str of shape `(length,)`, the name of the phase of
            every frame: that of its domain, with a number from the second
            phase of this domain on, as in `"source"`, `"evening"`,
            `"source_2"`, `"sensor"`.
        blends: float array of shape `(length,)` in `(0, 1]`, how far the phase
            has set in. Where it is less than 1, a frame lies between two
            domains.
        rooms: int array of shape `(length,)`, index of the room of every
            frame.

    Example:
    ```python
    walk = SynthRooms("test", size=64).walk(1000)
    arrays = walk.arrays(cache_dir="runs/cache")
    evening = arrays["image"][walk.phases == "evening"]
    ```
    """

    variant = "walk"

    def __init__(self, images, length, phases, frames_per_room, blend):
        self.split = images.split
        self.size = images.size
        self.seed = images.seed
        self.edge_sigma = images.edge_sigma
        self.num_examples = check_integer("length", length, 1)
        frames_per_room = check_integer("frames_per_room", frames_per_room, 1)
        if isinstance(phases, (str, Domain)):
            phases = (phases,)
        self.domains = [domains.get(phase) for phase in phases]
        if not 1 <= len(self.domains) <= self.num_examples:
            raise ValueError(
                "There must be at least one phase, and a frame for each. "
                f"Received: {len(self.domains)} phases, length={length}"
            )
        if not isinstance(blend, numbers.Real) or not 0 <= blend <= 1:
            raise ValueError(
                f"`blend` must be in [0, 1]. Received: blend={blend!r}"
            )
        self._schedule = make_schedule(
            self.domains, self.num_examples, frames_per_room, blend
        )
        self._frames_per_room = frames_per_room
        names = _unique([domain.name for domain in self.domains])
        self.phases = np.array([names[f.phase] for f in self._schedule])
        self.blends = np.array([frame.blend for frame in self._schedule])
        self.rooms = np.array([frame.room for frame in self._schedule])
        self.fingerprint = fingerprint_of(
            [
                WALK_VERSION,
                images.version,
                [dataclasses.asdict(domain) for domain in self.domains],
                self.split,
                self.size,
                self.seed,
                self.edge_sigma,
                self.num_examples,
                frames_per_room,
                float(blend),
            ]
        )

    def batches(self, tasks, batch_size=8, **options):
        """The frames in their order, in NumPy, without TensorFlow.

        Args:
            tasks: list of `Task`, or of task names.
            batch_size: int.
            **options: Those of `arrays`.

        Returns:
            A `keras.utils.PyDataset` of `(images, labels, masks)`.
        """
        arrays = examples_from_arrays(self.arrays(**options), tasks)
        return ArrayBatches(arrays, batch_size)

    def dataset(self, tasks, batch_size=8, **options):
        """The frames in their order, as `keras_s4t.data.load` gives images.

        Args:
            tasks: list of `Task`, or of task names.
            batch_size: int.
            **options: Those of `arrays`.

        Returns:
            A `tf.data.Dataset` of `(images, labels, masks)`.
        """
        import tensorflow as tf

        arrays = self.arrays(**options)
        records = tf.data.Dataset.from_tensor_slices(arrays)
        return batches(records, tasks, batch_size)

    def _render(self, index):
        frame = self._schedule[index]
        key = (self.seed, SPLITS[self.split], frame.room)
        path = plan_path(frame.room_domain, key, self._frames_per_room)
        packed = _packed(frame.domain, key)
        camera = draw_camera(
            packed.scene, frame.domain, RandomStream(*key, "camera")
        )
        sample = render_view(
            packed,
            path.pose(frame.step, camera),
            self.size,
            frame.domain,
            key,
            noise=RandomStream(*key, "frame", frame.step),
        )
        return example_of(sample, self.edge_sigma)


@functools.lru_cache(maxsize=1)
def _packed(domain, key):
    """The room of a frame, kept for the next one."""
    return PackedScene(build_room(domain, key))


def _unique(names):
    """Names with a number from the second one of a kind on."""
    return [
        name if name not in names[:i] else f"{name}_{names[:i].count(name) + 1}"
        for i, name in enumerate(names)
    ]
