"""The classes of the real datasets, and the spaces of classes they share.

The classes of a space are what both datasets label; everything else, be it
another object or the background, is ignored in training and in evaluation. So
it costs nothing to see a sofa on a wall. `LabelSpace.with_background` counts
that.

Shared is the name, not quite the meaning: Taskonomy's labels are what an
instance detector found, the others are drawn by hand; its "dining table" is any
table, NYUD's "table" leaves desks out; VOC's "tvmonitor" has the screens of
computers.
"""

import dataclasses

import numpy as np

from keras_s4t.tasks.label import IGNORE_CLASS

# fmt: off
TASKONOMY_CLASSES = (
    "uncertain", "background", "bottle", "chair", "couch", "potted plant",
    "bed", "dining table", "toilet", "tv", "microwave", "oven", "toaster",
    "sink", "refrigerator", "book", "clock", "vase",
)
NYU40_CLASSES = (
    "wall", "floor", "cabinet", "bed", "chair", "sofa", "table", "door",
    "window", "bookshelf", "picture", "counter", "blinds", "desk", "shelves",
    "curtain", "dresser", "pillow", "mirror", "floor mat", "clothes",
    "ceiling", "books", "refrigerator", "television", "paper", "towel",
    "shower curtain", "box", "whiteboard", "person", "night stand", "toilet",
    "sink", "lamp", "bathtub", "bag", "otherstructure", "otherfurniture",
    "otherprop",
)
VOC_CLASSES = (
    "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus",
    "car", "cat", "chair", "cow", "diningtable", "dog", "horse", "motorbike",
    "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)
# fmt: on

#: Names of the native classes by dataset, in the order of their ids.
NATIVE_CLASSES = {
    "taskonomy_mt": TASKONOMY_CLASSES,
    "nyud_mt": NYU40_CLASSES,
    "pascal_mt": VOC_CLASSES,
}
_BACKGROUND = {
    "taskonomy_mt": {TASKONOMY_CLASSES.index("background")},
    "nyud_mt": set(range(len(NYU40_CLASSES))),  # NYUD labels everything
    "pascal_mt": {VOC_CLASSES.index("background")},
}


@dataclasses.dataclass(frozen=True)
class LabelSpace:
    """Classes that two datasets share.

    Attributes:
        name: str.
        class_names: tuple of str, in the order of the ids.
        native_ids: tuple of pairs `(dataset, ids)`: tuples of ints, the native
            ids of the classes in that order.
        has_background: bool. Whether there is one more class, the last, for
            the background of the datasets.
    """

    name: str
    class_names: tuple
    native_ids: tuple
    has_background: bool = False

    @property
    def num_classes(self):
        """int, `num_classes` of the task `semseg`."""
        return len(self.class_names)

    def lookup(self, dataset):
        """The id here of every native id.

        Args:
            dataset: str, such as `"nyud_mt"`.

        Returns:
            uint8 array of 256 entries, 255 for what is to be ignored. Index
            it with an array of native ids, or use it with `tf.gather`.

        Raises:
            ValueError: If the space is not of this dataset.
        """
        native_ids = dict(self.native_ids)
        if dataset not in native_ids:
            raise ValueError(
                f"The label space '{self.name}' is of the datasets "
                f"{list(native_ids)}. Received: dataset={dataset!r}"
            )
        table = np.full(256, IGNORE_CLASS, "uint8")
        if self.has_background:
            table[list(_BACKGROUND[dataset])] = self.num_classes - 1
        for index, native_id in enumerate(native_ids[dataset]):
            table[native_id] = index
        return table

    def with_background(self):
        """This space with the background as one more class, the last.

        In Taskonomy and PASCAL it is their class "background", and objects
        outside the space stay ignored. NYUD has no such class: there it is
        every class outside the space.

        Returns:
            A `LabelSpace`.
        """
        if self.has_background:
            return self
        return dataclasses.replace(
            self,
            name=f"{self.name}_background",
            class_names=(*self.class_names, "background"),
            has_background=True,
        )


_SPACES = (
    LabelSpace(
        "taskonomy_nyud",
        ("refrigerator", "table", "toilet", "sofa", "bed", "sink", "chair"),
        (
            ("taskonomy_mt", (14, 7, 8, 4, 6, 13, 3)),
            ("nyud_mt", (23, 6, 32, 5, 3, 33, 4)),
        ),
    ),
    LabelSpace(
        "taskonomy_pascal",
        ("table", "tv", "bottle", "sofa", "potted plant", "chair"),
        (
            ("taskonomy_mt", (7, 9, 2, 4, 5, 3)),
            ("pascal_mt", (11, 20, 5, 18, 16, 9)),
        ),
    ),
    LabelSpace(
        "nyud_pascal",
        ("person", "sofa", "chair", "table"),
        (("nyud_mt", (30, 5, 4, 6)), ("pascal_mt", (15, 18, 9, 11))),
    ),
    # The first seven and two more that both datasets have.
    LabelSpace(
        "taskonomy_nyud9",
        (
            *("refrigerator", "table", "toilet", "sofa", "bed", "sink"),
            *("chair", "tv", "book"),
        ),
        (
            ("taskonomy_mt", (14, 7, 8, 4, 6, 13, 3, 9, 15)),
            ("nyud_mt", (23, 6, 32, 5, 3, 33, 4, 24, 22)),
        ),
    ),
)
#: The label spaces by name.
LABEL_SPACES = {space.name: space for space in _SPACES}


def get(label_space):
    """Finds a label space by its name.

    Args:
        label_space: str, a key of `LABEL_SPACES`, or a `LabelSpace`.

    Returns:
        A `LabelSpace`.

    Raises:
        ValueError: If the name is unknown.
    """
    if isinstance(label_space, LabelSpace):
        return label_space
    if label_space not in LABEL_SPACES:
        raise ValueError(
            f"`label_space` must be one of {list(LABEL_SPACES)} or a "
            f"`LabelSpace`. Received: label_space={label_space!r}"
        )
    return LABEL_SPACES[label_space]
