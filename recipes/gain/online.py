"""One pass over a stream, in windows that are adapted to and predicted."""

import dataclasses
import time

import keras
import numpy as np

import keras_s4t
from gain.predictions import PREDICTIONS
from gain.predictions import Predictor
from keras_s4t.data import restyle
from keras_s4t.live.scores import metrics_of

ONLINE, LIVE = "online", "live"
PROTOCOLS = (ONLINE, LIVE)


@dataclasses.dataclass
class Source:
    """A trained network, its synchronizer, and labeled source images.

    Attributes:
        network: `MultiTaskModel`.
        s4t: `S4T`.
        memory: `(images, labels, masks)`, to choose what is replayed from.
        held_out: `(images, labels, masks)`, for the choice among models.
        size: int. Side of the images.
        window: int. Images per batch of a stream.
        protocol: `"online"` adapts to a batch and predicts it afterwards;
            `"live"` predicts every image before, one at a time, by what was
            adapted to the batches before.
        seed: int.
    """

    network: keras.Model
    s4t: keras.layers.Layer
    memory: tuple
    held_out: tuple
    size: int
    window: int
    protocol: str = ONLINE
    seed: int = 0

    @property
    def is_live(self):
        """Whether images are predicted before they are adapted to."""
        return self.protocol == LIVE

    @property
    def has_batch_norm(self):
        """Whether the network has statistics that can follow a target."""
        return bool(self.network.batch_norms)

    @property
    def norms(self):
        """What methods call the normalization layers of the network."""
        return "batch_norm" if self.has_batch_norm else "norms"


@dataclasses.dataclass
class Outcome:
    """What a pass gave.

    Attributes:
        metrics: dict from prediction to a dict of metrics.
        seconds: dict from prediction to the seconds per frame, adaptation
            included.
        values: dict from prediction to postprocessed arrays.
        estimates: dict from the index of a batch to metrics on source images
            in its style, of every prediction.
    """

    metrics: dict
    seconds: dict
    values: dict
    estimates: dict


def adapt_online(source, candidate, arrays, check_every=None):
    """Adapts to a stream from the source's weights, and returns to them.

    Args:
        source: `Source`.
        candidate: `Candidate`.
        arrays: `(images, labels, masks)` of the stream. Labels are measured
            with afterwards.
        check_every: Optional int. Batches from one estimate to the next.

    Returns:
        `Outcome`.
    """
    images, labels, masks = arrays
    network = source.network
    method, optimizer = candidate.make(source)
    adapter = keras_s4t.TargetAdapter(network, method)
    if method.remembers:
        adapter.collect([source.memory], verbose=0)
    adapter.compile(optimizer, metrics=None)
    predictor, estimator = (
        Predictor(adapter, source.s4t, source.is_live) for _ in range(2)
    )
    window = source.window
    count = len(images) // window
    progress = keras.utils.Progbar(count, unit_name="batch")
    parts, estimates, adapting = [], {}, 0.0
    for i in range(count):
        batch = images[window * i : window * (i + 1)]
        if source.is_live:
            parts.append(predictor.values(batch))
        start = time.perf_counter()
        for _ in range(candidate.steps):
            adapter.train_on_batch(batch)
        adapting += time.perf_counter() - start
        if not source.is_live:
            parts.append(predictor.values(batch))
        if check_every and i % check_every == 0:
            estimates[i] = _estimate(estimator, source, batch, i)
        progress.update(i + 1)
    adapter.reset()
    tasks, whole = network.tasks, slice(0, window * count)
    values = {
        kind: {
            task.name: np.concatenate([p[kind][task.name] for p in parts])
            for task in tasks
        }
        for kind in PREDICTIONS
    }
    truth = [{k: v[whole] for k, v in x.items()} for x in (labels, masks)]
    return Outcome(
        {kind: metrics_of(tasks, values[kind], *truth) for kind in values},
        {
            kind: (adapting + predictor.seconds[kind]) / (window * count)
            for kind in PREDICTIONS
        },
        values,
        estimates,
    )


def _estimate(predictor, source, batch, seed):
    """Metrics on held-out source images in the style of a batch."""
    images, labels, masks = source.held_out
    styled = restyle(images, batch, seed)
    values = predictor.values(styled)
    return {
        kind: metrics_of(source.network.tasks, found, labels, masks)
        for kind, found in values.items()
    }
