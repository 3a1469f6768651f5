import concurrent.futures
import warnings

from keras_s4t.data import label_spaces
from keras_s4t.data.archives.taskonomy import layout
from keras_s4t.data.archives.taskonomy.decoding import UNITS
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
    """Views of a split, read from the files of the download.

    Files are joined by building, point and view. Views that lack a file are
    left out. A warning reports their number and that of missing buildings.
    Views are ordered by a hash of their ids, so that every part of the order
    is a random sample.

    Args:
        root: str or path of the download, with folders such as
            `rgb/taskonomy/allensville`.
        split: str, `"train"`, `"validation"` or `"test"`.
        tasks: Names of tasks. Only their files are required.
        size: int, side of the records in pixels. It must divide the 512 pixels
            of the files.
        subset: str, `"tiny"`, `"medium"`, `"full"` or `"fullplus"`. All but
            `"tiny"` require the table of splits in `splits_taskonomy`.
        units: `Units` of depth and edges in the files.
        skip: Ids of views to leave out, such as those of `unreadable()`.
        num_buildings: Optional int. Maximum number of buildings.
        num_views: Optional int. Maximum number of views.

    Attributes:
        ids: list of str such as `"allensville/point_202_view_5"`.
        absent: list of missing buildings.
        incomplete: list of the ids of views that lack a file.

    Raises:
        ValueError: If no view is complete, or if an argument is not as
            described.

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
        units=UNITS,
        skip=(),
        num_buildings=None,
        num_views=None,
    ):
        import tensorflow_datasets as tfds

        self.root = tfds.core.Path(root)
        self.tasks = list(tasks)
        self.size = size
        self.units = units
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
            dict of NumPy arrays as in `readers/stored.py`, and `id`.

        Raises:
            UnreadableViewError: If a file is damaged.
        """
        view = self._views[index]
        arrays = read_view(self.root, view, domains_of(self.tasks))
        record = encode_view(arrays, self.tasks, self.size, self.units)
        return {**record, "id": view.id}

    def unreadable(self, workers=8):
        """Reads all files and returns the views with damaged ones.

        Args:
            workers: int. Number of threads.

        Returns:
            dict from the id of a view to its error message.
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
        """Canonical records of the views, read on demand.

        A damaged file raises TensorFlow's `InvalidArgumentError` with its name.
        See `unreadable` and `skip`.

        Args:
            label_space: Optional `LabelSpace` or name of one. Defaults to the
                class ids of Taskonomy.

        Returns:
            A `tf.data.Dataset` of records (`records.py`) with known size.
        """
        import tensorflow as tf

        reader = self.reader(label_space)
        return reader.elements.map(
            reader.read, num_parallel_calls=tf.data.AUTOTUNE
        )

    def reader(self, label_space=None):
        """The `Reader` of the views, whose elements are indices and ids."""
        import numpy as np
        import tensorflow as tf

        lookup = None
        if label_space is not None:
            lookup = label_spaces.get(label_space).lookup(DATASET)
        features = stored_features(
            label_spaces.TASKONOMY_CLASSES, self.tasks, (self.size, self.size)
        ).get_tensor_info()
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
