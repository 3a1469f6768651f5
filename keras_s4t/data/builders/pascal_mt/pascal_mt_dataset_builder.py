"""PASCAL-MT as a TFDS dataset, built from a downloaded archive."""

import tensorflow_datasets as tfds

from keras_s4t.data.archives.decoding import read_image_file
from keras_s4t.data.archives.extracted import find_archive
from keras_s4t.data.archives.extracted import read_lines
from keras_s4t.data.archives.extracted import read_normals
from keras_s4t.data.builders.pascal_mt import labels
from keras_s4t.data.label_spaces import VOC_CLASSES
from keras_s4t.data.readers.stored import stored_features

SPLITS = ("train", "val")
TASKS = ("semseg", "normals", "edge")
TOP_FOLDERS = ("PASCALContext", "PASCAL_MT")
SPLIT_FILE = "ImageSets/Context/{}.txt"
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
        marker = SPLIT_FILE.format("train")
        root = find_archive(dl_manager.manual_dir, TOP_FOLDERS, marker)
        return {split: self._generate_examples(root, split) for split in SPLITS}

    def _generate_examples(self, root, split):
        for name in read_lines(root / SPLIT_FILE.format(split)):
            image, size = read_image_file(root / "JPEGImages" / f"{name}.jpg")
            semseg = labels.semseg_path(root, name)
            normals = root / "normals_distill" / f"{name}.png"
            context = root / "pascal-context" / "trainval" / f"{name}.mat"
            label_map = labels.read_label_map(context, size)
            yield (
                name,
                {
                    "image": image,
                    **labels.read_semseg(semseg, size),
                    "normals": read_normals(
                        normals, size, labels.normals_count(label_map)
                    ),
                    **labels.edges_of(label_map),
                    "id": name,
                },
            )
