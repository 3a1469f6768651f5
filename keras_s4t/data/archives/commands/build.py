"""Build a dataset from manually downloaded files."""

import importlib
import json

from keras_s4t.data.label_spaces import NATIVE_CLASSES


def add_arguments(parser):
    """Adds the arguments of the command."""
    parser.add_argument("dataset", choices=NATIVE_CLASSES)
    parser.add_argument(
        "--manual-dir", required=True, help="folder with the download"
    )
    parser.add_argument(
        "--data-dir", help="where to build; TFDS's own folder by default"
    )
    parser.add_argument("--config", help="such as tiny_256 of taskonomy_mt")


def run(arguments):
    """Builds the dataset and reports its splits."""
    import tensorflow_datasets as tfds

    module = importlib.import_module(
        f"keras_s4t.data.builders.{arguments.dataset}"
    )
    configs = list(module.Builder.builder_configs)
    if arguments.config not in (None, *configs):
        raise ValueError(
            f"`--config` must be one of those of {arguments.dataset}, "
            f"{configs}. Received: {arguments.config}"
        )
    builder = module.Builder(
        config=arguments.config, data_dir=arguments.data_dir
    )
    if builder.is_prepared():
        print(f"There already: {builder.data_path}")
    try:
        builder.download_and_prepare(
            download_config=tfds.download.DownloadConfig(
                manual_dir=arguments.manual_dir
            )
        )
    except AssertionError as error:
        # TFDS raises this if the folder is missing.
        raise ValueError(str(error)) from error
    except ValueError as error:
        instructions = builder.MANUAL_DOWNLOAD_INSTRUCTIONS
        raise ValueError(f"{error}\n{instructions}") from error
    for split, info in builder.info.splits.items():
        print(f"{split}: {info.num_examples} images")
    for key, value in dict(builder.info.metadata or {}).items():
        print(f"{key}: {json.dumps(value)}")
    print(f"In {builder.data_path}")
    return 0
