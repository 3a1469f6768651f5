"""NYUD-MT as a TFDS dataset, built from a downloaded archive."""

import tensorflow_datasets as tfds

from keras_s4t.data.builders.nyud_mt.archive import Archive
from keras_s4t.data.label_spaces import NYU40_CLASSES
from keras_s4t.data.readers.stored import stored_features

SPLITS = ("train", "val")
TASKS = ("semseg", "depth", "normals", "edge")
LICENSE = (
    "NYU Depth V2 is published without a license and asks to cite Silberman "
    "et al. (2012). The archives come with code under CC BY-NC 4.0. For "
    "research only; not to be redistributed."
)


class Builder(tfds.core.GeneratorBasedBuilder):
    """Builds `nyud_mt` from any of the three archives known by this name.

    `info.metadata["archive"]` is the archive that was read: `"v1_mat"`,
    `"v2_npy"` or `"v3_png"`. Records are stored as described in
    `readers/stored.py`. The archive with `.mat` files requires SciPy.

    Example:
    ```python
    import tensorflow_datasets as tfds
    from keras_s4t.data.builders import nyud_mt

    builder = nyud_mt.Builder()
    builder.download_and_prepare(
        download_config=tfds.download.DownloadConfig(manual_dir="~/archives")
    )
    dataset = builder.as_dataset(split="val")
    ```
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "Initial release."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = """
    Download one of the archives of NYUD-MT and extract it in `manual_dir`:

    *   `NYUDv2.tar.gz`, linked in the README of InvPT
        (https://github.com/prismformore/Multi-Task-Transformer), or
    *   `NYUD_MT.tgz`, linked in the READMEs of ASTMT
        (https://github.com/facebookresearch/astmt) and MTI-Net
        (https://github.com/SimonVandenhende/Multi-Task-Learning-PyTorch).

    `manual_dir` must then have a folder `NYUDv2` or `NYUD_MT`, not both, with
    `gt_sets/train.txt` in it.
    """

    def _info(self):
        return self.dataset_info_from_configs(
            features=stored_features(NYU40_CLASSES, TASKS),
            homepage="https://cs.nyu.edu/~fergus/datasets/nyu_depth_v2.html",
            license=LICENSE,
            metadata=tfds.core.MetadataDict(edge_kind="boundary"),
        )

    def _split_generators(self, dl_manager):
        archive = Archive(dl_manager.manual_dir)
        self.info.metadata["archive"] = archive.version
        return {
            split: self._generate_examples(archive, split) for split in SPLITS
        }

    def _generate_examples(self, archive, split):
        for name in archive.names(split):
            yield name, archive.record(name)
