"""Classes of SynthRooms and instance ids that are equal in every room."""

from keras_s4t.tasks.label import IGNORE_CLASS

CLASS_NAMES = (
    "wall",
    "floor",
    "table",
    "chair",
    "sofa",
    "bed",
    "cabinet",
    "tv",
    "plant",
)

CLASS_IDS = {name: index for index, name in enumerate(CLASS_NAMES)}
# Lamps and small objects have no class. Losses and metrics ignore them.
CLASS_IDS["void"] = IGNORE_CLASS

# Walls with their fixtures, floor with rug and ceiling with lamp are one
# instance each, so that there are no edges inside of them.
WALL_INSTANCE = 0
FLOOR_INSTANCE = 1
CEILING_INSTANCE = 2
FIRST_FURNITURE_INSTANCE = 3
