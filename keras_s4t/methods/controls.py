"""The controls: no adaptation, and batch norm statistics alone."""

import keras
from keras import ops

from keras_s4t.methods.method import BN_MODES
from keras_s4t.methods.method import Method


@keras.saving.register_keras_serializable("keras_s4t", name="Base")
class SourceOnly(Method):
    """The source model without adaptation: a step changes nothing.

    The first row, "Base", of the tables.
    """

    title = "Base"
    updates_variables = False

    def target_loss(self, adapter, images, features):
        return ops.zeros(())

    def select(self, network):
        return []


@keras.saving.register_keras_serializable("keras_s4t")
class BatchNormOnly(Method):
    """Batch norm statistics follow the target, and no weight moves.

    The control for every method whose statistics follow the target. With the
    momentum 0.9 of Keras, forty batches leave `0.9 ** 40 = 1.5 %` of the
    source statistics. Batch norms of a decoder, if there are any, follow as
    those of the encoder do.

    Args:
        bn_mode: `"update"`, or `"batch"` for the control of methods that
            normalize with every batch's own statistics, such as TENT.

    Raises:
        ValueError: If `bn_mode` is neither.
    """

    updates_variables = False
    decodes = True

    def __init__(self, bn_mode="update", **kwargs):
        super().__init__(**kwargs)
        choices = tuple(mode for mode in BN_MODES if mode != "source")
        if bn_mode not in choices:
            raise ValueError(
                f"`bn_mode` must be one of {choices}. "
                f"Received: bn_mode={bn_mode!r}"
            )
        self.bn_mode = bn_mode

    def target_loss(self, adapter, images, features):
        follows = self.bn_mode == "update"
        if follows and adapter.network.decoder_batch_norms:
            size = ops.shape(images)[1:3]
            adapter.decode(features, size, keep_state=True)
        return ops.zeros(())

    def select(self, network):
        return []

    def get_config(self):
        return {**super().get_config(), "bn_mode": self.bn_mode}
