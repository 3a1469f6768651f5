"""SynthRooms: procedural indoor rooms with aligned multi-task labels."""

import dataclasses

from keras_s4t.data.synth_rooms import domains
from keras_s4t.data.synth_rooms.arguments import check_integer
from keras_s4t.data.synth_rooms.arguments import check_number
from keras_s4t.data.synth_rooms.example import render_example
from keras_s4t.data.synth_rooms.rendered_examples import RenderedExamples
from keras_s4t.data.synth_rooms.rendered_examples import fingerprint_of
from keras_s4t.data.synth_rooms.sample import SPLITS
from keras_s4t.data.synth_rooms.walking.walk import Walk

# Must be raised whenever a pixel or a label may change. Cached files of other
# versions are not read.
VERSION = "1.0.0"

DEFAULT_NUM_EXAMPLES = {"train": 2000, "validation": 200, "test": 200}
MIN_SIZE = 16


class SynthRooms(RenderedExamples):
    """Procedural indoor rooms with labels for four tasks.

    Rooms are generated and rendered in NumPy, with exact geometry. They need no
    download and are equal on all Keras backends. An example depends only on the
    seed, the split, its index, the domain and the size. Index `i` of a split is
    the same room in every domain. Domains that change only light, materials or
    sensor also have the same labels.

    `rooms[i]` is a dict of NumPy arrays:

    - `image`: float32 `(size, size, 3)`, RGB, 0 to 255.
    - `semseg`: int32 `(size, size)`, index into `class_names`; 255 (lamps and
      small objects) is ignored.
    - `depth`: float32 `(size, size, 1)`, meters along the optical axis.
    - `normals`: float32 `(size, size, 3)`, unit vectors in the camera frame:
      x right, y up, z toward the camera.
    - `edge`: float32 `(size, size, 1)` in `[0, 1]`, boundaries of objects.
    - `semseg_mask`, `depth_mask`, `normals_mask`, `edge_mask`: float32
      `(size, size, 1)`, 1 where the label is valid, else 0.
    - `id`: str such as `"synth_rooms/evening/test/000012"`.

    Args:
        split: str, `"train"`, `"validation"` or `"test"`.
        domain: str, one of `DOMAINS`, or a `Domain`.
        size: int of at least 16, side of the pictures in pixels.
        num_examples: int; 2000 for training and 200 for validation and test
            if `None`.
        seed: int from 0 to `2**32 - 1`. Different seeds give different rooms.
        edge_sigma: float, pixels. Edges are one pixel thick and blurred by a
            Gaussian whose peak on a straight line is 1. They are binary if
            `edge_sigma` is 0.

    Raises:
        ValueError: if an argument is not as described.

    Example:
    ```python
    rooms = SynthRooms("test", domain="evening", size=64)
    rooms[12]["depth"].max()

    halfway = DOMAINS["source"].toward(DOMAINS["evening"], 0.5)
    arrays = SynthRooms("test", domain=halfway, size=64).arrays()
    ```
    """

    def __init__(
        self,
        split="train",
        domain="source",
        size=128,
        num_examples=None,
        seed=0,
        edge_sigma=0.8,
    ):
        if split not in SPLITS:
            raise ValueError(
                f"`split` must be one of {list(SPLITS)}. "
                f"Received: split={split!r}"
            )
        if num_examples is None:
            num_examples = DEFAULT_NUM_EXAMPLES[split]
        self.split = split
        self.domain = domains.get(domain)
        self.size = check_integer("size", size, MIN_SIZE)
        self.num_examples = check_integer("num_examples", num_examples, 1)
        self.seed = check_integer("seed", seed, 0, 2**32 - 1)
        self.edge_sigma = check_number("edge_sigma", edge_sigma, 0)

    @property
    def version(self):
        """The version of pixels and labels."""
        return VERSION

    @property
    def variant(self):
        """The part of ids and file names that tells the domain."""
        return self.domain.name

    @property
    def fingerprint(self):
        """Hash of all parameters of the arrays."""
        description = [
            self.version,
            dataclasses.asdict(self.domain),
            self.split,
            self.size,
            self.seed,
            self.num_examples,
            self.edge_sigma,
        ]
        return fingerprint_of(description)

    def walk(self, length=1000, phases=None, frames_per_room=50, blend=0.25):
        """A camera that walks through these rooms while the light changes.

        The walk goes through room 0 of the split, room 1, and so on, however
        many examples there are. The camera stays clear of the walls and the
        furniture, and looks at what there is to see. Each phase is a domain.
        Light, camera and sensor change gradually at the beginning of a phase.
        Furniture, materials and the place of the lamp belong to a room: they
        change with the room alone. A phase whose materials or objects differ
        begins in a new room.

        Args:
            length: int, number of frames.
            phases: list of domains or their names, which take equal parts of
                the walk. By default the domain of the rooms, `"evening"`, the
                domain of the rooms again, and `"sensor"`.
            frames_per_room: int, number of frames until the next room.
            blend: float in `[0, 1]`, part of a phase over which it sets in.
                With 0 it is there at once.

        Returns:
            A `Walk`.

        Raises:
            ValueError: if an argument is not as described, or there are more
                phases than frames.
        """
        if phases is None:
            phases = (self.domain, "evening", self.domain, "sensor")
        return Walk(self, length, phases, frames_per_room, blend)

    def _render(self, index):
        return render_example(
            self.domain,
            self.split,
            index,
            self.size,
            self.seed,
            self.edge_sigma,
        )
