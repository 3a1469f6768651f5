"""Rendering of a whole split into stacked arrays."""

import contextlib
import itertools
import warnings

import numpy as np

from keras_s4t.data.synth_rooms.storage.worker_pool import map_in_order
from keras_s4t.files import check_folder


def render_arrays(render, specs, count, cache=None, workers=1, verbose="auto"):
    """Renders examples and stacks them, or reads them from a cache.

    With a cache, parts are stored as soon as they are finished, and an
    interrupted rendering continues after the last stored part.

    Args:
        render: Function from an index to a dict of arrays. It must be
            picklable if `workers > 1`.
        specs: dict of `(shape of one example, dtype)` by array name.
        count: int, number of examples.
        cache: `ArrayCache` or `None`.
        workers: int, number of processes.
        verbose: `"auto"` or 1 for a progress bar, 0 for none.

    Returns:
        dict of arrays with `count` rows.
    """
    parts = {range(count): None}
    if cache is not None:
        whole = cache.whole.read()
        if whole is not None:
            return whole
        check_folder(cache.whole.path.parent, "cache_dir")
        parts = {part: file.read() for part, file in cache.parts.items()}
    missing = [part for part, arrays in parts.items() if arrays is None]
    indices = list(itertools.chain.from_iterable(missing))
    # Closed explicitly, so that an interrupt stops the workers immediately.
    with contextlib.closing(map_in_order(render, indices, workers)) as examples:
        rows = _with_progress(examples, count, len(indices), verbose)
        for part in missing:
            parts[part] = _stack(rows, specs, len(part))
            if cache is not None:
                _keep(cache.parts[part].write, parts[part])
    arrays = _concatenate(list(parts.values()))
    if cache is not None:
        _keep(cache.finish, arrays)
    return arrays


def _keep(write, arrays):
    """Writes to the cache. Without space, rendered images are not lost."""
    try:
        write(arrays)
    except OSError as error:
        warnings.warn(f"Rendered images are not cached: {error}", stacklevel=4)


def _stack(examples, specs, count):
    arrays = {
        name: np.empty((count, *shape), dtype)
        for name, (shape, dtype) in specs.items()
    }
    for row, example in enumerate(itertools.islice(examples, count)):
        for name, array in arrays.items():
            array[row] = example[name]
    return arrays


def _concatenate(parts):
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}


def _with_progress(examples, count, num_missing, verbose):
    """Yields examples. The progress bar starts at the cached examples."""
    if not verbose or not num_missing:
        yield from examples
        return
    from keras.utils import Progbar

    bar = Progbar(count, unit_name="image")
    for done, example in enumerate(examples, start=count - num_missing + 1):
        bar.update(done)
        yield example
