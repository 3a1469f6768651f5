"""TENT (Wang et al., ICLR 2021): minimize the entropy of class predictions."""

import keras
from keras import ops

from keras_s4t.losses import softmax_entropy
from keras_s4t.methods.method import Method
from keras_s4t.methods.requirements import check_classes
from keras_s4t.methods.requirements import check_norm_update


@keras.saving.register_keras_serializable("keras_s4t")
class Tent(Method):
    """Minimizes the entropy of class predictions.

    The loss is the entropy of the softmax of one task's logits, averaged over
    the pixels of the batch. The affine parameters of batch norm move. Every
    batch is normalized with its own statistics, in prediction too. Tasks
    without classes have no entropy; they change through the shared encoder.

    Args:
        task: Name of the task whose entropy is minimized. Its raw outputs
            must be logits of classes.
        update: Which normalization layers' scales and offsets move:
            `"batch_norm"`, or `"norms"` for those of group, layer and RMS
            normalization, too, which networks without batch norm have.

    Raises:
        ValueError: If `update` is unknown.

    References:
    - [Wang et al., 2021](https://arxiv.org/abs/2006.10726)
    """

    bn_mode = "batch"
    decodes = True

    def __init__(self, task="semseg", update="batch_norm", **kwargs):
        super().__init__(**kwargs)
        check_norm_update(update)
        self.update = update
        self.task = task

    def check(self, network):
        check_classes(network, task=self.task)

    def target_loss(self, adapter, images, features):
        predictions = adapter.decode(
            features, ops.shape(images)[1:3], keep_state=True
        )
        return softmax_entropy(predictions[self.task])

    def select(self, network):
        return network.norm_variables(self.update)

    def default_optimizer(self):
        return keras.optimizers.SGD(0.00025, momentum=0.9)

    def get_config(self):
        config = {"task": self.task, "update": self.update}
        return {**super().get_config(), **config}
