"""Taskonomy as a TFDS dataset, built from manually downloaded files."""

import dataclasses
import warnings

import tensorflow_datasets as tfds

from keras_s4t.data.archives.taskonomy import TaskonomyFolder
from keras_s4t.data.archives.taskonomy.decoding import DEPTH_UNITS
from keras_s4t.data.archives.taskonomy.decoding import EDGE_SCALE
from keras_s4t.data.archives.taskonomy.decoding import Units
from keras_s4t.data.archives.taskonomy.decoding import UnreadableViewError
from keras_s4t.data.archives.taskonomy.layout import SPLITS
from keras_s4t.data.archives.taskonomy.taskonomy_folder import TASKS
from keras_s4t.data.label_spaces import TASKONOMY_CLASSES
from keras_s4t.data.readers.stored import stored_features

LICENSE = (
    "Taskonomy End User License Agreement: for non-commercial research only; "
    "not to be redistributed, neither in whole nor in part."
)


@dataclasses.dataclass(eq=False)
class TaskonomyConfig(tfds.core.BuilderConfig):
    """A variant of the dataset.

    `edge_scale` and `depth_units` are those of `Units`, the others arguments of
    `TaskonomyFolder` per split.
    """

    subset: str = "tiny"
    size: int = 256
    edge_scale: float = EDGE_SCALE
    depth_units: float = DEPTH_UNITS
    num_buildings: int | None = None
    num_views: int | None = None


class Builder(tfds.core.GeneratorBasedBuilder):
    """Builds `taskonomy_mt`.

    Records are stored as described in `readers/stored.py`.

    Example:
    ```python
    import tensorflow_datasets as tfds

    from keras_s4t.data.builders import taskonomy_mt

    builder = taskonomy_mt.Builder(config="tiny_256")
    builder.download_and_prepare(
        download_config=tfds.download.DownloadConfig(manual_dir="taskonomy")
    )
    ```
    """

    VERSION = tfds.core.Version("1.1.0")
    RELEASE_NOTES = {
        "1.0.0": "Initial release.",
        "1.1.0": "Smaller records are those that the loader makes of larger "
        "ones: depth and normals are of one pixel.",
    }
    BUILDER_CONFIGS = [
        TaskonomyConfig(
            name="tiny_256",
            description="The subset tiny at 256 x 256 pixels.",
        ),
        TaskonomyConfig(
            name="tiny_512",
            description="The subset tiny at 512 x 512 pixels.",
            size=512,
        ),
        TaskonomyConfig(
            name="debug",
            description="32 views of one building a split at 64 x 64 pixels.",
            size=64,
            num_buildings=1,
            num_views=32,
        ),
    ]
    MANUAL_DOWNLOAD_INSTRUCTIONS = """\
    Accept the licenses and download the component taskonomy, subset tiny, of
    the Omnidata starter dataset, with the domains rgb, depth_zbuffer, normal,
    edge_occlusion and segment_semantic:
    https://docs.omnidata.vision/starter_dataset_download.html

    `manual_dir` is the folder with `rgb/taskonomy/<building>/` and, for subsets
    other than tiny, `splits_taskonomy/train_val_test_<subset>.csv`. Of every
    split, at least one building must be there.
    """

    def _info(self):
        config = self.builder_config
        return self.dataset_info_from_configs(
            features=stored_features(
                TASKONOMY_CLASSES, TASKS, (config.size, config.size)
            ),
            homepage="https://github.com/StanfordVL/taskonomy",
            license=LICENSE,
            metadata=tfds.core.MetadataDict(
                edge_kind="occlusion",
                edge_scale=config.edge_scale,
                depth_units=config.depth_units,
            ),
        )

    def _split_generators(self, dl_manager):
        config = self.builder_config
        return {
            split: self._generate_examples(
                split,
                TaskonomyFolder(
                    dl_manager.manual_dir,
                    split,
                    size=config.size,
                    subset=config.subset,
                    units=Units(config.depth_units, config.edge_scale),
                    num_buildings=config.num_buildings,
                    num_views=config.num_views,
                ),
            )
            for split in SPLITS
        }

    def _generate_examples(self, split, folder):
        unreadable = {}
        for index, view_id in enumerate(folder.ids):
            try:
                record = folder[index]
            except UnreadableViewError as error:
                unreadable[view_id] = str(error)
            else:
                yield view_id, record
        self.info.metadata[f"left_out_{split}"] = {
            "absent_buildings": folder.absent,
            "incomplete_views": folder.incomplete,
            "unreadable_views": unreadable,
        }
        if unreadable:
            warnings.warn(
                f"Split '{split}': {len(unreadable)} of {len(folder)} views "
                f"are left out, since they have damaged files: {unreadable}",
                stacklevel=2,
            )
