"""The models that adaptation is compared with while it runs."""

import keras
import numpy as np

from keras_s4t.live.scores import gain
from keras_s4t.live.scores import metrics_of
from keras_s4t.methods import BatchNormOnly
from keras_s4t.methods import SourceOnly

SOURCE, BATCH_NORM, ADAPTED = "source", "batch_norm", "adapted"


class Controls:
    """The source model, and the one whose statistics alone follow the target.

    Args:
        adapter: The `TargetAdapter` that adapts. It is not changed.
    """

    def __init__(self, adapter):
        self.adapters = {SOURCE: adapter.source_copy(SourceOnly())}
        if adapter.network.batch_norms:
            method = BatchNormOnly(
                prior=adapter.method.prior, momentum=adapter.method.momentum
            )
            self.adapters[BATCH_NORM] = adapter.source_copy(method)
        for control in self.adapters.values():
            control.compile(metrics=None)
        if BATCH_NORM in self.adapters:
            # Takes the source state before the statistics may be set.
            self.adapters[BATCH_NORM].prepare_method()
        self.adapters[ADAPTED] = adapter

    @property
    def names(self):
        """The models that there are, the source first."""
        return tuple(self.adapters)

    @property
    def reference(self):
        """The name of the best model without gradients."""
        return BATCH_NORM if BATCH_NORM in self.adapters else SOURCE

    def follow(self, images, steps):
        """Lets the statistics of the control follow a batch."""
        if BATCH_NORM in self.adapters:
            for _ in range(steps):
                self.adapters[BATCH_NORM].train_on_batch(images)

    def outputs(self, name, images, batch_size=None):
        """Raw outputs of a model.

        Args:
            name: Name of the model.
            images: Array of images.
            batch_size: Optional int, by default all images at once.

        Returns:
            dict from task name to a NumPy array.
        """
        batch_size = batch_size or len(images)
        parts = []
        for i in range(0, len(images), batch_size):
            parts.append(
                self.adapters[name].predict_on_batch(images[i : i + batch_size])
            )
        return keras.tree.map_structure(lambda *x: np.concatenate(x), *parts)

    def measure(self, images, labels, masks, batch_size, exclude=()):
        """Metrics of the models on labeled images.

        Args:
            images: Array of images.
            labels: dict from task name to labels.
            masks: dict from task name to masks, or empty.
            batch_size: int.
            exclude: Names of models that are not measured.

        Returns:
            dict from the name of a model to a dict by metric key.
        """
        values = {
            name: self.values(self.outputs(name, images, batch_size))
            for name in self.names
            if name not in exclude
        }
        return self.measure_values(values, labels, masks)

    def measure_values(self, values, labels, masks):
        """As `measure`, of what models predicted, a dict by their name."""
        tasks = self.adapters[ADAPTED].tasks
        return {
            name: metrics_of(tasks, found, labels, masks)
            for name, found in values.items()
        }

    def gains(self, measured, keys=None):
        """Gains over the source model.

        Args:
            measured: What `measure` returned.
            keys: Optional keys of the metrics that count, by default all.

        Returns:
            dict from the name of a model to Delta_TTT, in percent.
        """
        tasks, source = self.adapters[ADAPTED].tasks, measured[SOURCE]
        if keys is not None:
            source = {k: v for k, v in source.items() if k in keys}
        return {
            name: gain(tasks, source, metrics)
            for name, metrics in measured.items()
        }

    def values(self, outputs):
        """Postprocessed outputs, a dict of NumPy arrays."""
        values = self.adapters[ADAPTED].network.postprocess(outputs)
        return keras.tree.map_structure(keras.ops.convert_to_numpy, values)

    def reset(self):
        """Returns the controls to the source."""
        for name, control in self.adapters.items():
            if name != ADAPTED:
                control.reset()

    def statistics(self):
        """The statistics that follow the target, a list of arrays."""
        return [
            np.array(keras.ops.convert_to_numpy(variable))
            for variable in self.moving_statistics
        ]

    @property
    def moving_statistics(self):
        """The variables that follow the target."""
        return self.adapters[self.reference].network.moving_statistics

    def set_statistics(self, arrays, name=None):
        """Assigns such statistics, to the control unless told otherwise."""
        network = self.adapters[name or self.reference].network
        for variable, array in zip(
            network.moving_statistics, arrays, strict=True
        ):
            variable.assign(array)
