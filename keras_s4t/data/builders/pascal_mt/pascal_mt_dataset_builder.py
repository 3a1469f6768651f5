"""PASCAL-MT as a TFDS dataset, built from a downloaded archive."""

import tensorflow_datasets as tfds

from keras_s4t.data.builders.pascal_mt.archive import Archive
from keras_s4t.data.label_spaces import VOC_CLASSES
from keras_s4t.data.readers.stored import stored_features

SPLITS = ("train", "val")
TASKS = ("semseg", "normals", "edge")
LICENSE = (
    "The images of PASCAL VOC come from Flickr and are under its terms of "
    "use. The annotations of PASCAL-Context are offered for research, without "
    "a license. The distilled labels come with code under CC BY-NC 4.0. For "
    "research only; not to be redistributed."
)


class Builder(tfds.core.GeneratorBasedBuilder):
    """Builds `pascal_mt`, which requires SciPy and scikit-image.

    Records are stored as described in `readers/stored.py`. They also have
    `semseg_source`, the name of the folder of `semseg`: `"VOC12"` or
    `"pascal-context"`.

    Example:
    ```python
    import tensorflow_datasets as tfds
    from keras_s4t.data.builders import pascal_mt

    builder = pascal_mt.Builder()
    builder.download_and_prepare(
        download_config=tfds.download.DownloadConfig(manual_dir="~/archives")
    )
    dataset = builder.as_dataset(split="val")
    ```
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "Initial release."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = """
    Download one of the two archives and extract it in `manual_dir`:

    *   `PASCALContext.tar.gz`, linked in the README of InvPT
        (https://github.com/prismformore/Multi-Task-Transformer), or
    *   `PASCAL_MT.tgz`, linked in the README of ASTMT
        (https://github.com/facebookresearch/astmt).

    `manual_dir` must then have a folder `PASCALContext` or `PASCAL_MT`, not
    both, with `ImageSets/Context/train.txt` in it.
    """

    def _info(self):
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    **stored_features(VOC_CLASSES, TASKS),
                    "semseg_source": tfds.features.Text(),
                }
            ),
            homepage="https://cs.stanford.edu/~roozbeh/pascal-context/",
            license=LICENSE,
            metadata=tfds.core.MetadataDict(edge_kind="boundary"),
        )

    def _split_generators(self, dl_manager):
        archive = Archive(dl_manager.manual_dir)
        return {
            split: self._generate_examples(archive, split) for split in SPLITS
        }

    def _generate_examples(self, archive, split):
        for name in archive.names(split):
            yield name, archive.record(name)
