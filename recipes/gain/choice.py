"""What is chosen on corrupted source images, before any target is seen."""

import dataclasses

import numpy as np
from keras import ops

import keras_s4t
from gain.candidates import Candidate
from gain.candidates import control_of
from gain.candidates import controls
from gain.online import adapt_online
from gain.predictions import PLAIN
from gain.predictions import PREDICTIONS
from keras_s4t.backend import no_gradients
from keras_s4t.data.corruptions import corrupt
from keras_s4t.live.choice import Choice as LiveChoice
from keras_s4t.live.scores import gain
from keras_s4t.live.scores import metrics_of

SHARES = (0.0, 0.25, 0.5, 0.75)


def corrupted_streams(arrays, corruptions, severity):
    """Yields `(name, arrays)`, validation images of the source corrupted."""
    images, labels, masks = arrays
    for name in corruptions:
        corrupted = corrupt(images, name, severity)
        yield name, (np.float32(corrupted), labels, masks)


def fit_shares(source, streams):
    """What the synchronizer is to count in each task.

    The share of `SHARES` with the best metric on average over streams, relative
    to that of the decoders alone, of predictions with batch norm statistics
    that follow the stream.

    Args:
        source: `Source`.
        streams: list of what `corrupted_streams` yields.

    Returns:
        dict from task name to a float.
    """
    network, s4t = source.network, source.s4t
    tasks = network.tasks
    scores = {task.name: dict.fromkeys(SHARES, 0.0) for task in tasks}
    for _, (images, labels, masks) in streams:
        method, _ = control_of(source).make(source)
        adapter = keras_s4t.TargetAdapter(network, method)
        adapter.compile(metrics=None)
        parts = {(t.name, share): [] for t in tasks for share in SHARES}
        for i in range(0, len(images), source.window):
            batch = images[i : i + source.window]
            adapter.train_on_batch(batch)
            for key, values in _fused(network, s4t, batch).items():
                parts[key].append(values)
        adapter.reset()
        for task in tasks:
            found = {}
            for share in SHARES:
                values = np.concatenate(parts[task.name, share])
                metrics = metrics_of([task], {task.name: values}, labels, masks)
                found[share] = metrics
            for share in SHARES:
                scores[task.name][share] += gain(
                    [task], found[0.0], found[share]
                )
    return {name: max(found, key=found.get) for name, found in scores.items()}


def _fused(network, s4t, batch):
    """Values by task and share, for one batch."""
    with no_gradients():
        features = network.encode(batch, False)
        outputs = network.decode(features, batch.shape[1:3], False)
        joint = s4t.predict_unmasked(features, batch.shape[1:3])
        found = {}
        for task in network.tasks:
            pair = [outputs[task.name], joint[task.name]]
            for share in SHARES:
                mean = task.average(pair, [1 - share, share])
                values = task.postprocess(mean if share else pair[0])
                found[task.name, share] = ops.convert_to_numpy(values)
    return found


@dataclasses.dataclass
class Choice:
    """What corrupted source images said.

    Attributes:
        candidate: The chosen `Candidate`.
        prediction: The chosen prediction.
        gains: dict from the title of a candidate to a dict from prediction to
            the mean Delta_TTT over corruptions, in percent.
        corrections: dict from the title of a model to the mean of its true
            minus its estimated gain, in percent.
    """

    candidate: Candidate
    prediction: str
    gains: dict
    corrections: dict


def choose(source, streams, options, check_every):
    """The candidate and the prediction of the best gain over the source model.

    Args:
        source: `Source`.
        streams: list of what `corrupted_streams` yields.
        options: list of `Candidate`.
        check_every: int, see `adapt_online`.

    Returns:
        `Choice`.
    """
    tasks = source.network.tasks
    first = controls(source, {option.steps for option in options})
    gains, errors = (
        {c.title: {k: [] for k in PREDICTIONS} for c in (*first, *options)}
        for _ in range(2)
    )
    for name, arrays in streams:
        base = None
        for candidate in (*first, *options):
            print(f"{name}: {candidate.title}")
            outcome = adapt_online(source, candidate, arrays, check_every)
            base = base or outcome
            for kind in PREDICTIONS:
                true = gain(tasks, base.metrics[PLAIN], outcome.metrics[kind])
                estimated = estimated_gain(tasks, base, outcome, kind)
                gains[candidate.title][kind].append(true)
                errors[candidate.title][kind].append(true - estimated)
    means = {
        title: {kind: float(np.mean(x)) for kind, x in found.items()}
        for title, found in gains.items()
    }
    best = max(
        ((c, kind) for c in options for kind in PREDICTIONS),
        key=lambda pair: means[pair[0].title][pair[1]],
    )
    candidate, prediction = best
    titles = [*(c.title for c in first), candidate.title]
    corrections = {t: float(np.mean(errors[t][prediction])) for t in titles}
    return Choice(candidate, prediction, means, corrections)


def estimated_gain(tasks, base, outcome, kind):
    """The mean estimate of a pass, in percent of the source model."""
    return float(
        np.mean(
            [
                gain(tasks, base.estimates[i][PLAIN], found[kind])
                for i, found in outcome.estimates.items()
            ]
        )
    )


def choose_by_batch(source, outcomes, kind, corrections):
    """Which model predicts each batch, as it would have been chosen online.

    Args:
        source: `Source`.
        outcomes: dict from the title of a model to its `Outcome`; the source
            model first.
        kind: The prediction.
        corrections: dict from title to percent, see `Choice`.

    Returns:
        list of titles, one per batch. If images are predicted before they are
        adapted to, a choice counts from the next batch on.
    """
    titles = list(outcomes)
    base = outcomes[titles[0]]
    tasks = source.network.tasks
    count = len(next(iter(base.values[kind].values()))) // source.window
    # It picks among scores that are known already.
    picker = LiveChoice((), {})
    now, chosen = titles[0], []
    for i in range(count):
        before = now
        if i in base.estimates:
            scores = {
                title: corrections[title]
                + gain(
                    tasks,
                    base.estimates[i][PLAIN],
                    outcome.estimates[i][kind],
                )
                for title, outcome in outcomes.items()
            }
            now = picker.pick(scores, now)
        chosen.append(before if source.is_live else now)
    return chosen


def values_of_chosen(outcomes, kind, chosen, window):
    """The values of whatever was chosen for each batch."""
    parts = []
    for i, title in enumerate(chosen):
        batch = slice(window * i, window * (i + 1))
        values = outcomes[title].values[kind]
        parts.append({name: array[batch] for name, array in values.items()})
    return {
        name: np.concatenate([part[name] for part in parts])
        for name in parts[0]
    }
