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
        slopes: dict from the title of a model to how much more it gains over
            the source model than images in the style of a stream say.
    """

    candidate: Candidate
    prediction: str
    gains: dict
    slopes: dict


def choose(source, streams, calm, options, check_every):
    """The candidate and the prediction of the best gain over the source model.

    Args:
        source: `Source`.
        streams: list of what `corrupted_streams` yields, to choose by.
        calm: list of the same, with less to adapt to. An estimate must not
            promise a gain there.
        options: list of `Candidate`.
        check_every: int, see `adapt_online`.

    Returns:
        `Choice`.
    """
    tasks = source.network.tasks
    first = controls(source, {option.steps for option in options})
    outcomes = [
        adapt_all(source, (*first, *options), name, arrays, check_every)
        for name, arrays in streams
    ]
    means = mean_gains(tasks, outcomes)
    candidate, prediction = max(
        ((c, kind) for c in options for kind in PREDICTIONS),
        key=lambda pair: means[pair[0].title][pair[1]],
    )
    models = (*first, candidate)
    outcomes += [
        adapt_all(source, models, name, arrays, check_every)
        for name, arrays in calm
    ]
    titles = [c.title for c in models]
    slopes = fit_slopes(tasks, titles, prediction, outcomes)
    return Choice(candidate, prediction, means, slopes)


def adapt_all(source, candidates, name, arrays, check_every):
    """Adapts by every candidate to one stream.

    Args:
        source: `Source`.
        candidates: Sequence of `Candidate`.
        name: What the stream is called.
        arrays: `(images, labels, masks)`.
        check_every: int, see `adapt_online`.

    Returns:
        dict from title to `Outcome`, without values of pixels.
    """
    outcomes = {}
    for candidate in candidates:
        print(f"{name}: {candidate.title}")
        outcome = adapt_online(source, candidate, arrays, check_every)
        outcomes[candidate.title] = dataclasses.replace(outcome, values={})
    return outcomes


def mean_gains(tasks, streams):
    """Gains over the plain source model, on average over streams.

    Args:
        tasks: list of `Task`.
        streams: list of what `adapt_all` returns, the source model first.

    Returns:
        dict from title to a dict from prediction to percent.
    """
    base = next(iter(streams[0]))

    def mean(title, kind):
        gains = [
            gain(tasks, x[base].metrics[PLAIN], x[title].metrics[kind])
            for x in streams
        ]
        return float(np.mean(gains))

    return {
        title: {kind: mean(title, kind) for kind in PREDICTIONS}
        for title in streams[0]
    }


def fit_slopes(tasks, titles, kind, streams):
    """Least squares of true over estimated gains, by lines through zero.

    A constant would promise a gain where there is nothing to adapt to.

    Args:
        tasks: list of `Task`.
        titles: list of the titles of models, the source model first.
        kind: The prediction.
        streams: list of what `adapt_all` returns.

    Returns:
        dict from title to a float, 1 without any estimated gain.
    """
    slopes = {}
    for title in titles:
        pairs = []
        for found in streams:
            base, outcome = found[titles[0]], found[title]
            estimates = estimated_gains(tasks, base, outcome, kind)
            true = gain(tasks, base.metrics[kind], outcome.metrics[kind])
            pairs.append((np.mean(list(estimates.values())), true))
        estimated, true = np.transpose(pairs)
        power = np.sum(estimated**2)
        slopes[title] = (
            float(np.sum(estimated * true) / power) if power else 1.0
        )
    return slopes


def estimated_gains(tasks, base, outcome, kind):
    """Gains over the source model on source images in the style of a stream.

    Args:
        tasks: list of `Task`.
        base: `Outcome` of the source model.
        outcome: `Outcome` of a model.
        kind: The prediction, the same for both.

    Returns:
        dict from the index of a batch to percent.
    """
    return {
        i: gain(tasks, base.estimates[i][kind], found[kind])
        for i, found in outcome.estimates.items()
    }


def choose_by_batch(source, outcomes, kind, slopes):
    """Which model predicts each batch, as it would have been chosen online.

    Args:
        source: `Source`.
        outcomes: dict from the title of a model to its `Outcome`; the source
            model first.
        kind: The prediction.
        slopes: dict from title to float, see `Choice`.

    Returns:
        list of titles, one per batch. If images are predicted before they are
        adapted to, a choice counts from the next batch on.
    """
    titles = list(outcomes)
    base = outcomes[titles[0]]
    tasks = source.network.tasks
    count = len(next(iter(base.values[kind].values()))) // source.window
    gains = {
        title: estimated_gains(tasks, base, outcome, kind)
        for title, outcome in outcomes.items()
    }
    # It picks among scores that are known already.
    picker = LiveChoice((), {})
    now, chosen = titles[0], []
    for i in range(count):
        before = now
        if i in base.estimates:
            scores = {
                title: slopes[title] * gains[title][i] for title in titles
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
