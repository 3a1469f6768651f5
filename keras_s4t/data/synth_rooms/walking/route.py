"""A smooth way across a floor."""

import numpy as np
from scipy.ndimage import gaussian_filter1d

# Meters.
RESOLUTION = 0.01
SMOOTHING = 0.3
# Frames. Where it turns around, the camera slows down.
INERTIA = 3.0
# Smoothing may cut a corner by this part of the clearance.
MAX_CUT = 0.4
# Of so many random places, the one that is best as the next to go to.
CHOICES = 6


def plan_route(floor, along, stream):
    """Plans where a camera is in every frame.

    Args:
        floor: `Floor`.
        along: float array of shape `(frames,)`, the way that the camera has
            gone in each frame, meters.
        stream: `RandomStream`.

    Returns:
        float array of shape `(frames, 2)`, meters.
    """
    shortest = floor.paths(stream)
    start = int(stream.uniform(0, len(floor.cells)))
    # Smoothing shortens a way, most of all where it turns around.
    needed = 1.5 * along[-1] + 2
    while True:
        way = _walk(floor, shortest, start, needed, stream)
        way = _evenly(way, RESOLUTION)
        way = _smoothed(way, SMOOTHING / RESOLUTION, floor)
        gone = _distances(way)
        if gone[-1] >= along[-1]:
            break
        needed *= 2
    places = np.stack([np.interp(along, gone, p) for p in way.T], 1)
    return _smoothed(places, INERTIA, floor)


def _walk(floor, shortest, start, needed, stream):
    """Cells from place to place until the way is long enough."""
    path, walked = [start], 0.0
    while walked < needed:
        lengths, before = shortest(path[-1])
        goals = [
            int(stream.uniform(0, len(floor.cells))) for _ in range(CHOICES)
        ]
        leg = [max(goals, key=lambda goal: _worth(goal, path, lengths, floor))]
        while leg[-1] != path[-1]:
            leg.append(int(before[leg[-1]]))
        path += leg[-2::-1]
        walked += _distances(floor.cells[leg])[-1]
    return floor.cells[path]


def _worth(goal, path, lengths, floor):
    """How good a goal is: far away, and not where the camera came from."""
    here = floor.cells[path[-1]]
    came = here - floor.cells[path[max(0, len(path) - 8)]]
    way = floor.cells[goal] - here
    scale = np.hypot(*came) * np.hypot(*way)
    ahead = came @ way / scale if scale > 0 else 0.0
    return min(lengths[goal], 3.0) + ahead


def _smoothed(way, sigma, floor):
    """A way, smoothed as far as it stays clear of the furniture."""
    least = min((1 - MAX_CUT) * floor.clearance, floor.distance(*way.T).min())
    while sigma > 0.5:
        smooth = gaussian_filter1d(way, sigma, axis=0, mode="nearest")
        if floor.distance(*smooth.T).min() >= least:
            return smooth
        sigma /= 1.5
    return way


def _evenly(points, distance):
    """Points at equal distances along a polyline."""
    gone = _distances(points)
    places = np.arange(0, gone[-1], distance)
    return np.stack([np.interp(places, gone, p) for p in points.T], 1)


def _distances(points):
    """Distance of every point from the first one, along the way."""
    steps = np.hypot(*np.diff(points, axis=0).T)
    return np.concatenate([[0.0], np.cumsum(steps)])
