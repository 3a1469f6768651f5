"""Where a walking camera looks."""

import dataclasses

import numpy as np
from scipy.ndimage import gaussian_filter1d

from keras_s4t.data.synth_rooms.rendering.viewpoint import score_views

# Frames between two decisions, and directions to decide between.
FRAMES_PER_DECISION = 12
DIRECTIONS = 24
# In the unit of the scores of views, which is one class in sight.
TURN_COST = 0.5
AHEAD_GAIN = 3.0
MAX_TURN = np.radians(75)
SMOOTHING = 6.0


def plan_gaze(packed, places, camera):
    """Plans the yaw of a camera on its way.

    The camera sees as much furniture as possible, mostly ahead, and turns
    smoothly.

    Args:
        packed: `PackedScene`.
        places: float array of shape `(frames, 2)`, meters.
        camera: `CameraPose`. Its position and yaw do not matter.

    Returns:
        float array of shape `(frames,)`, radians.
    """
    frames = np.arange(len(places))
    stops = np.arange(0, len(places) + FRAMES_PER_DECISION, FRAMES_PER_DECISION)
    yaws = np.linspace(0, 2 * np.pi, DIRECTIONS, endpoint=False)
    scores = np.array(
        [
            _scores(packed, places, min(s, frames[-1]), yaws, camera)
            for s in stops
        ]
    )
    chosen = np.unwrap(yaws[_best_sequence(scores, yaws)])
    path = np.interp(frames, stops, chosen)
    return gaussian_filter1d(path, SMOOTHING, mode="nearest")


def _scores(packed, places, frame, yaws, camera):
    """The worth of every direction at one frame."""
    x, y = places[frame]
    poses = [
        dataclasses.replace(camera, position=(x, y, camera.height), yaw=yaw)
        for yaw in yaws
    ]
    nearby = places[max(0, frame - 5) : frame + 16]
    way = nearby[-1] - nearby[0]
    length = max(np.hypot(*way), 1e-9)
    ahead = (way[1] * np.cos(yaws) - way[0] * np.sin(yaws)) / length
    return np.array(score_views(packed, poses)) + AHEAD_GAIN * ahead


def _best_sequence(scores, yaws):
    """Indices of the directions with the best sum of scores and turns."""
    turn = np.abs((yaws[:, None] - yaws + np.pi) % (2 * np.pi) - np.pi)
    cost = TURN_COST * (turn / np.radians(45)) ** 2
    cost[turn > MAX_TURN + 1e-6] = np.inf
    total, origins = scores[0], []
    for row in scores[1:]:
        reached = total[:, None] - cost
        origins.append(reached.argmax(0))
        total = reached.max(0) + row
    sequence = [int(total.argmax())]
    for origin in reversed(origins):
        sequence.append(int(origin[sequence[-1]]))
    return sequence[::-1]
