"""Classes of the real datasets and the label spaces that pairs of them share.

A label space contains the classes that both datasets label. Other objects and
the background are ignored in training and evaluation, so that false positives
on them have no cost. `LabelSpace.with_background` adds the background as a
class.

The definitions of shared classes differ. Taskonomy is labeled by an instance
detector, the other datasets by hand. "dining table" of Taskonomy contains all
tables, "table" of NYUD excludes desks. "tvmonitor" of VOC contains computer
screens.
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
    "nyud_mt": set(range(len(NYU40_CLASSES))),  # all of NYUD is labeled
    "pascal_mt": {VOC_CLASSES.index("background")},
}


@dataclasses.dataclass(frozen=True)
class LabelSpace:
    """Classes that two datasets share.

    Attributes:
        name: str.
        class_names: tuple of str, in the order of the ids.
        native_ids: tuple of pairs `(dataset, ids)`, where `ids` is a tuple of
            ints, the native ids of the classes in the same order.
        has_background: bool. Whether the last class is the background.
    """

    name: str
    class_names: tuple
    native_ids: tuple
    has_background: bool = False

    @property
    def num_classes(self):
        """Number of classes, for the task `semseg`."""
        return len(self.class_names)

    def lookup(self, dataset):
        """Builds a table from native ids to ids of this space.

        Args:
            dataset: str, such as `"nyud_mt"`.

        Returns:
            uint8 array with 256 entries, 255 for ignored ids. Index it with an
            array of native ids, or use it with `tf.gather`.

        Raises:
            ValueError: If the space does not contain the dataset.
        """
        native_ids = dict(self.native_ids)
        if dataset not in native_ids:
            raise ValueError(
                f"The label space '{self.name}' contains the datasets "
                f"{list(native_ids)}. Received: dataset={dataset!r}"
            )
        table = np.full(256, IGNORE_CLASS, "uint8")
        if self.has_background:
            table[list(_BACKGROUND[dataset])] = self.num_classes - 1
        for index, native_id in enumerate(native_ids[dataset]):
            table[native_id] = index
        return table

    def with_background(self):
        """Returns this space with the background as an additional last class.

        On Taskonomy and PASCAL, this is their class "background", and objects
        outside of the space remain ignored. NYUD has no such class, so that
        all classes outside of the space are background.

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
    # The classes of `taskonomy_nyud` and two more that both datasets have.
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
    """Returns a label space by name.

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
