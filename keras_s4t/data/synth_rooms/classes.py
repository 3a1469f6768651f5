"""The classes of SynthRooms and the instance ids that every room reserves."""

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

# Lamps and small objects belong to no class; losses and metrics skip them.
IGNORE_CLASS = 255

CLASS_IDS = {name: index for index, name in enumerate(CLASS_NAMES)}
CLASS_IDS["void"] = IGNORE_CLASS

# Walls (with what hangs on them), floor (with the rug) and ceiling (with its
# lamp) are one instance each, so that no edge is drawn inside them.
WALL_INSTANCE = 0
FLOOR_INSTANCE = 1
CEILING_INSTANCE = 2
FIRST_FURNITURE_INSTANCE = 3
