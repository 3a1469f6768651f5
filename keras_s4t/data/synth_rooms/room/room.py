"""State of a room while it is furnished."""

import dataclasses

from keras_s4t.data.synth_rooms.random_stream import RandomStream
from keras_s4t.data.synth_rooms.room.floor_plan import FloorPlan
from keras_s4t.data.synth_rooms.room.material_palette import MaterialPalette
from keras_s4t.data.synth_rooms.room.pose import Pose
from keras_s4t.data.synth_rooms.room.scene_builder import SceneBuilder

ROOM_TYPES = {
    "living": 0.26,
    "bedroom": 0.24,
    "dining": 0.2,
    "office": 0.12,
    "studio": 0.18,
}


@dataclasses.dataclass(frozen=True)
class Surface:
    """A surface for small objects.

    Attributes:
        pose: `Pose`.
        width: float, meters.
        depth: float, meters.
        height: float, meters above the floor.
    """

    pose: Pose
    width: float
    depth: float
    height: float


class Room:
    """An empty room with its random streams.

    The stream `layout` determines shapes and positions, `look` materials and
    lights, and `clutter` small objects. Streams do not depend on the domain, so
    that an index is the same room in every domain.

    Args:
        domain: `Domain`.
        key: tuple of ints, `(seed, split, index)`.
    """

    def __init__(self, domain, key):
        self.domain = domain
        self.layout = RandomStream(*key, "layout")
        self.look = RandomStream(*key, "look")
        self.clutter = RandomStream(*key, "clutter")
        self.palette = MaterialPalette(domain, self.look)
        self.builder = SceneBuilder()
        self.room_type = self.layout.choice(ROOM_TYPES, ROOM_TYPES.values())
        self.width = self.layout.uniform(3.2, 4.9)
        self.depth = self.layout.uniform(3.4, 5.4)
        self.height = self.layout.uniform(2.35, 2.8)
        self.plan = FloorPlan(self.width, self.depth)
        self.surfaces = []
