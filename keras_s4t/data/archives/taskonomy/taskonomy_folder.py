import concurrent.futures
import warnings

from keras_s4t.data import label_spaces
from keras_s4t.data.archives.taskonomy import layout
from keras_s4t.data.archives.taskonomy.decoding import EDGE_SCALE
from keras_s4t.data.archives.taskonomy.decoding import UnreadableViewError
from keras_s4t.data.archives.taskonomy.decoding import domains_of
from keras_s4t.data.archives.taskonomy.decoding import encode_view
from keras_s4t.data.archives.taskonomy.decoding import read_view
from keras_s4t.data.readers.reader import Reader
from keras_s4t.data.readers.stored import canonical_record
from keras_s4t.data.readers.stored import stored_features

DATASET = "taskonomy_mt"
TASKS = ("semseg", "depth", "normals", "edge")


class TaskonomyFolder:
    """The views of a split, read from the download without a copy of it.

    Files are joined by building, point and view. Views that lack a file are
    left out; a warning says how many, and how many buildings are not there.
    The order is that of a hash of the ids, so that any part of it has some
    views of all buildings.

    Args:
        root: str or path of the download, with folders such as
            `rgb/taskonomy/allensville`.
        split: str, `"train"`, `"validation"` or `"test"`.
        tasks: Names of the tasks wanted; only their files need to be there.
        size: int, side of the records in pixels. It must divide the 512 pixels
            of the files.
        subset: str, `"tiny"`, `"medium"`, `"full"` or `"fullplus"`; all but
            the first need the table of splits in `splits_taskonomy`.
        edge_scale: float. Strength of occlusion edges, in units of the files,
            from which on `edge` is 1: `edge = min(x / edge_scale, 1)`.
        skip: Ids of views to leave out, such as `unreadable()` returns.
        num_buildings: Optional int, only the first buildings that are there.
        num_views: Optional int, only the first views.

    Attributes:
        ids: list of str such as `"allensville/point_202_view_5"`.
        absent: list of the buildings that are not there.
        incomplete: list of the ids of views that lack a file.

    Raises:
        ValueError: If no view is complete, or an argument is not as described.

    Example:

    ```python
    folder = keras_s4t.data.TaskonomyFolder("taskonomy", "test", size=256)
    target = keras_s4t.data.batches(folder.records("taskonomy_nyud"), tasks)
    ```
    """

    def __init__(
        self,
        root,
        split,
        tasks=TASKS,
        size=256,
        subset="tiny",
        edge_scale=EDGE_SCALE,
        skip=(),
        num_buildings=None,
        num_views=None,
    ):
        import tensorflow_datasets as tfds

        self.root = tfds.core.Path(root)
        self.tasks = list(tasks)
        self.size = size
        self.edge_scale = edge_scale
        buildings = layout.buildings_of_split(self.root, split, subset)
        found = {
            name: layout.find_views(self.root, name, domains_of(self.tasks))
            for name in buildings
        }
        present = [name for name in buildings if any(found[name])]
        self.absent = sorted(set(buildings) - set(present))
        found = [found[name] for name in present[:num_buildings]]
        views = {view for complete, _ in found for view in complete}
        views = {view for view in views if view.id not in set(skip)}
        self.incomplete = sorted(view.id for _, some in found for view in some)
        self._views = layout.in_order(views)[:num_views]
        self.ids = [view.id for view in self._views]
        if not self.ids:
            raise ValueError(
                f"The folder must have views of the split '{split}' with files "
                f"for {domains_of(self.tasks)}, in buildings such as "
                f"{buildings[:3]}. Received: root={root!r} with "
                f"{len(self.incomplete)} incomplete views of this split"
            )
        if self.absent or self.incomplete:
            warnings.warn(
                f"{root}, split '{split}': {len(self.ids)} views. Left out are "
                f"{len(self.incomplete)} incomplete views "
                f"{self.incomplete[:3]} and {len(self.absent)} buildings that "
                f"are not there {self.absent[:3]}",
                stacklevel=2,
            )

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, index):
        """Reads and encodes a view.

        Returns:
            dict of NumPy arrays as in `stored.py`, and `id`.

        Raises:
            UnreadableViewError: If a file is damaged.
        """
        view = self._views[index]
        arrays = read_view(self.root, view, domains_of(self.tasks))
        record = encode_view(arrays, self.tasks, self.size, self.edge_scale)
        return {**record, "id": view.id}

    def unreadable(self, workers=8):
        """Reads all files, once, and returns the views with damaged ones.

        Args:
            workers: int. Threads that read.

        Returns:
            dict from the ids of those views to what is wrong with them.
        """

        def problem(index):
            try:
                self[index]
            except UnreadableViewError as error:
                return str(error)

        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            problems = pool.map(problem, range(len(self)))
        return {i: p for i, p in zip(self.ids, problems, strict=True) if p}

    def records(self, label_space=None):
        """The canonical records of the views, read while they are needed.

        A damaged file raises TensorFlow's `InvalidArgumentError`, which names
        it; see `unreadable` and `skip`.

        Args:
            label_space: Optional `LabelSpace` or name of one; Taskonomy's own
                class ids if `None`.

        Returns:
            A `tf.data.Dataset` of records (`records.py`) that knows its size.
        """
        import tensorflow as tf

        reader = self.reader(label_space)
        return reader.elements.map(
            reader.read, num_parallel_calls=tf.data.AUTOTUNE
        )

    def reader(self, label_space=None):
        """The views as the loader takes them; arguments as of `records`.

        Returns:
            A `Reader` whose elements are indices and ids.
        """
        import numpy as np
        import tensorflow as tf

        lookup = None
        if label_space is not None:
            lookup = label_spaces.get(label_space).lookup(DATASET)
        features = self.features().get_tensor_info()
        keys = [key for key in features if key != "id"]

        def read(index):
            record = self[index]
            return [record[key] for key in keys]

        def canonical(index, view_id):
            dtypes = [features[key].np_dtype for key in keys]
            arrays = tf.numpy_function(read, [index], dtypes)
            record = dict(zip(keys, arrays, strict=True))
            for key in keys:
                record[key].set_shape(features[key].shape)
            return canonical_record({**record, "id": view_id}, lookup)

        views = tf.data.Dataset.from_tensor_slices(
            (np.arange(len(self)), self.ids)
        )
        version = " ".join([str(self.root), *self.ids])
        return Reader(views, canonical, len(self), version)

    def features(self):
        """The features of a TFDS builder that stores the records."""
        return stored_features(
            label_spaces.TASKONOMY_CLASSES, self.tasks, (self.size, self.size)
        )
