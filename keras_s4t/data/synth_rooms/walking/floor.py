"""The part of a floor on which a camera can walk."""

import numpy as np
from scipy import ndimage
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

CELL = 0.1
# Distance from walls and furniture in meters; less in crowded rooms.
CLEARANCE = 0.3
MIN_CELLS = 40
# A way along the middle of the free floor is preferred to a short one.
COMFORTABLE = 0.6


class Floor:
    """The largest connected free part of a floor, as a grid.

    Args:
        scene: `Scene`.

    Attributes:
        clearance: float, least distance of a cell's center from walls and
            furniture, meters.
        cells: float array of shape `(cells, 2)`, centers of the free cells,
            meters.
    """

    def __init__(self, scene):
        self.scene = scene
        axes = [np.arange(CELL / 2, extent, CELL) for extent in scene.size[:2]]
        x, y = np.meshgrid(*axes, indexing="ij")
        distance = self.distance(x, y)
        self.clearance = CLEARANCE
        free = _largest(distance >= self.clearance)
        while free.sum() < MIN_CELLS and self.clearance > 0.01:
            self.clearance *= 0.8
            free = _largest(distance >= self.clearance)
        self.cells = np.stack([x[free], y[free]], 1)
        self._free, self._distance = free, distance

    def distance(self, x, y):
        """Distance of points from walls and furniture in meters.

        Args:
            x: float array.
            y: float array of the same shape.

        Returns:
            float array; 0 or less inside of furniture and outside of the room.
        """
        width, depth, _ = self.scene.size
        distance = np.minimum.reduce([x, width - x, y, depth - y])
        for place in self.scene.footprints:
            if place.height > 0:
                across = np.abs(x - place.x) - place.width / 2
                along = np.abs(y - place.y) - place.depth / 2
                outside = np.hypot(np.maximum(across, 0), np.maximum(along, 0))
                distance = np.minimum(distance, outside)
        return distance

    def paths(self, stream):
        """Returns a function from a cell to the shortest paths from there.

        Args:
            stream: `RandomStream`. The lengths of steps differ a little, so
                that no two paths are equally long.

        Returns:
            Function from the index of a cell to a pair of float lengths and
            int predecessors by cell.
        """
        number = np.full(self._free.shape, -1)
        number[self._free] = np.arange(len(self.cells))
        crowding = np.maximum(COMFORTABLE - self._distance, 0) / COMFORTABLE
        draws = stream.generator.random(self._free.shape)
        price = CELL * (1 + 2 * crowding + 0.05 * draws)
        rows, columns, weights = [], [], []
        for right, ahead in ((1, 0), (0, 1), (1, 1), (1, -1)):
            one, other = _shifted(right), _shifted(-right)
            one_y, other_y = _shifted(ahead), _shifted(-ahead)
            start, stop = (one, one_y), (other, other_y)
            both = self._free[start] & self._free[stop]
            rows.append(number[start][both])
            columns.append(number[stop][both])
            length = np.hypot(right, ahead) / 2
            weights.append(length * (price[start] + price[stop])[both])
        graph = csr_array(
            (
                np.concatenate(weights),
                (np.concatenate(rows), np.concatenate(columns)),
            ),
            shape=(len(self.cells),) * 2,
        )

        def shortest(cell):
            return dijkstra(
                graph, directed=False, indices=cell, return_predecessors=True
            )

        return shortest


def _largest(mask):
    """The largest connected part of a mask."""
    labels, count = ndimage.label(mask)
    if not count:
        return mask
    sizes = np.bincount(labels.ravel())[1:]
    return labels == 1 + np.argmax(sizes)


def _shifted(step):
    """Slice of the cells that have a neighbor `step` cells further."""
    return slice(max(0, -step), -step if step > 0 else None)
