"""Compare the normals of a download with the slopes of its depth."""

import numpy as np

from keras_s4t.data.archives.commands.arguments import angle
from keras_s4t.data.archives.commands.arguments import positive
from keras_s4t.data.archives.downloads import DOWNLOADS
from keras_s4t.data.archives.normals_frame import CANONICAL
from keras_s4t.data.archives.normals_frame import frame_errors
from keras_s4t.data.archives.normals_frame import normals_of_depth

# Minimum difference in degrees by which another frame is considered better.
MARGIN = 1.0


def add_arguments(parser):
    """Adds the arguments of the command."""
    parser.add_argument("dataset", choices=DOWNLOADS)
    parser.add_argument(
        "--manual-dir", required=True, help="folder with the download"
    )
    parser.add_argument("--split", default="train")
    parser.add_argument(
        "--num", type=positive, default=8, help="images to compare"
    )
    parser.add_argument(
        "--field-of-view",
        type=angle,
        help="horizontal, in degrees; by default that of Taskonomy's files "
        "`point_info`, and that of the camera of NYUD",
    )


def run(arguments):
    """Reports the errors of the documented frame and of the best one.

    The exit status is 0 if no frame fits better than the documented one.
    """
    import tensorflow_datasets as tfds

    folder = tfds.core.Path(arguments.manual_dir).expanduser()
    download = DOWNLOADS[arguments.dataset](folder)
    stored, measured = [], []
    for name in download.names(arguments.split)[: arguments.num]:
        depth, normals, focal_length = download.geometry(
            name, arguments.field_of_view
        )
        stored.append(normals.reshape(-1, 3))
        measured.append(normals_of_depth(depth, focal_length).reshape(-1, 3))
    errors = frame_errors(np.concatenate(stored), np.concatenate(measured))
    best = next(iter(errors))
    print(f"As documented: {errors[CANONICAL]:.1f} degrees, the median of")
    print(f"{len(stored)} images against the slopes of depth.")
    others = [(f, e) for f, e in errors.items() if f != CANONICAL]
    print(f"The best other frame, {others[0][0]}: {others[0][1]:.1f} degrees.")
    if errors[CANONICAL] <= errors[best] + MARGIN:
        return 0
    print(f"The normals are not as documented: {best} fits better.")
    return 1
