"""A live adapter that does nothing but report."""

import types


def make_live(**report):
    values = {
        "frames": 20,
        "skipped": {"blank": 2, "not finite": 1},
        "windows": 3,
        "actions": {"adapted": 2, "held": 0, "rolled_back": 1},
        "missed": 0,
        "predicts": "adapted",
        "frames_per_second": 12.5,
        "prediction_seconds": {"median": 0.0125, "p99": 0.25},
        "adaptation_seconds": None,
        "statistics_distance": 0.5,
    }
    return types.SimpleNamespace(
        report=lambda: {**values, **report},
        limits=lambda: {"limits": {"loss": 2.0, "depth_spread": 0.5}},
    )


def make_record(**values):
    return {
        "frame": 19,
        "window": 3,
        "action": "rolled_back",
        "reason": "loss 3 is above 2",
        "predicts": "batch_norm",
        "loss": 3.0,
        "statistics_distance": 0.5,
        "scores": {"loss": 3.0, "depth_spread": 0.75},
        "estimates": {"source": 0.0, "batch_norm": 12.25},
        "seconds": 0.125,
        **values,
    }
