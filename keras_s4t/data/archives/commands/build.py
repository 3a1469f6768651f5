"""Build a dataset of what was downloaded by hand."""

import importlib
import json

from keras_s4t.data.label_spaces import NATIVE_CLASSES


def add_arguments(parser):
    """Adds the command's own arguments."""
    parser.add_argument("dataset", choices=NATIVE_CLASSES)
    parser.add_argument(
        "--manual-dir", required=True, help="folder with the download"
    )
    parser.add_argument(
        "--data-dir", help="where to build; TFDS's own folder by default"
    )
    parser.add_argument("--config", help="such as tiny_256 of taskonomy_mt")


def run(arguments):
    """Builds, and says what is there now.

    Returns:
        int, the exit status.

    Raises:
        ValueError: If the download is not as it should be, or there is no such
            config.
    """
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
        # How TFDS says that the folder is not there.
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
