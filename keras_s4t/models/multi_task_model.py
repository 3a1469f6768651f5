import threading

import keras
import numpy as np
from keras import ops

from keras_s4t import imagenet
from keras_s4t.checks import check_images
from keras_s4t.checks import check_task_names
from keras_s4t.export import Exportable
from keras_s4t.models.decoders import pyramid
from keras_s4t.models.encoder import batch_norms
from keras_s4t.models.encoder import make_encoder
from keras_s4t.models.tapped_encoder import PYRAMID
from keras_s4t.models.tapped_encoder import TappedEncoder
from keras_s4t.presets import Preset
from keras_s4t.state.pure_call import without_writing


@keras.saving.register_keras_serializable("keras_s4t")
class MultiTaskModel(Exportable, Preset, keras.Model):
    """One encoder and one decoder per dense task.

    The encoder is the feature pyramid of a keras-hub backbone behind an input
    normalization; a decoder is one 1x1 convolution on the pyramid fused at a
    quarter of the image size, resized to the image.

    Args:
        backbone: A `keras_hub.models.FeaturePyramidBackbone`, or any
            functional model with a dict `pyramid_outputs`.
        tasks: list of `keras_s4t.tasks.Task`.
        mean: Triple of floats, what the normalization subtracts from images
            scaled to [0, 1].
        std: Triple of floats, what it then divides by.
        fused_norms: bool. Whether batch normalizations of the encoder run as
            one fused operation each; see `FusedBatchNorm`.
        remat: bool. Whether the encoder computes its activations again for
            the backward pass instead of keeping them; see
            `RematerializedModel`.

    Call arguments:
        images: Tensor of shape `(batch_size, height, width, 3)`, float32 or
            uint8 RGB in 0 ... 255.

    Returns:
        dict from task name to raw outputs (logits for classes) of shape
        `(batch_size, height, width, task.num_outputs)`.

    Raises:
        ValueError: If a task is given twice or none is, the backbone takes no
            RGB images, Keras is set to channels first, or images are not a
            batch of RGB images.

    Example:

    ```python
    network = keras_s4t.models.MultiTaskModel(
        keras_s4t.models.resnet50(),
        [keras_s4t.tasks.semseg(num_classes=7), keras_s4t.tasks.depth()],
    )
    predictions = network.predict(images)  # {"semseg": ..., "depth": ...}
    ```
    """

    def __init__(
        self,
        backbone,
        tasks,
        mean=imagenet.MEAN,
        std=imagenet.STD,
        fused_norms=True,
        remat=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_task_names(tasks)
        if keras.config.image_data_format() != "channels_last":
            raise ValueError(
                "`keras.config.image_data_format()` must be 'channels_last'. "
                f"Received: {keras.config.image_data_format()!r}"
            )
        channels = backbone.input.shape[-1]
        if channels not in (3, None):
            raise ValueError(
                "`backbone` must take RGB images of 3 channels. "
                f"Received: a backbone for {channels} channels"
            )
        # === Layers ===
        policy = self.dtype_policy
        scale = 1 / (255 * np.asarray(std, "float32"))
        self.normalization = keras.layers.Rescaling(
            scale,
            -np.asarray(mean, "float32") / np.asarray(std, "float32"),
            dtype=policy,
            name="normalization",
        )
        # Else Keras runs the model once more before the first step.
        self.normalization.build((None, None, None, len(std)))
        self.backbone = backbone
        self.encoder = make_encoder(backbone, fused_norms)
        self.tapped_encoder = TappedEncoder(self.encoder, remat)
        self.decoders = pyramid.make_decoders(
            tasks, self.features_shape, policy
        )

        # === Config ===
        self.tasks = list(tasks)
        self.mean = tuple(mean)
        self.std = tuple(std)
        self.fused_norms = fused_norms
        self.remat = remat
        self.built = True

        # On JAX, the thread that holds the values of the variables.
        self.fitting_thread = None
        # A weak reference to the adapter that moved the network.
        self.adapted_by = None

    @property
    def features_shape(self):
        """Dict from level to `(batch_size, height, width, channels)`."""
        return self.tapped_encoder.shapes()

    @property
    def batch_norms(self):
        """The batch normalization layers, in the encoder's order."""
        return batch_norms(self.encoder)

    @property
    def affine_variables(self):
        """Scales and offsets of all batch normalization layers."""
        return [
            v for norm in self.batch_norms for v in norm.trainable_variables
        ]

    @property
    def moving_statistics(self):
        """Moving means and variances of all batch normalization layers."""
        return [
            variable
            for layer in self.batch_norms
            for variable in layer.non_trainable_variables
        ]

    def variables_up_to(self, level):
        """Trainable variables of the encoder up to a level, such as `"P3"`."""
        return self.tapped_encoder.part((level,)).trainable_variables

    def encode(self, images, training=None, taps=None, keep_state=False):
        """Features of a batch of images.

        Args:
            images: As in the call arguments.
            training: Optional bool. Whether batch norm uses the statistics of
                these images; by default it does not.
            taps: Optional tuple of patterns of features, by default all
                levels; see `TappedEncoder`.
            keep_state: bool. Whether moving statistics follow these images,
                if their own are used.

        Returns:
            dict from name to a tensor of shape
            `(batch_size, height / stride, width / stride, channels)`.
        """
        check_images(images)
        if self.fitting_thread not in (None, threading.get_ident()):
            raise RuntimeError(
                "The network cannot be used while `fit` runs in another "
                "thread: on JAX its variables are empty meanwhile. Use "
                "`TargetAdapter.adapt` batch by batch, or a copy of the "
                "network for predictions."
            )

        def run():
            inputs = self.normalization(images)
            return self.tapped_encoder(inputs, taps or PYRAMID, bool(training))

        if keep_state or not training:
            return run()
        return without_writing(run, self.variables)

    def decode(self, features, size):
        """Predictions from features.

        Args:
            features: What `encode` returned.
            size: Pair of ints or int tensors, `(height, width)` of the images.

        Returns:
            dict from task name to raw outputs, as the model returns them.
        """
        return pyramid.decode(self.decoders, features, size)

    def call(self, images, training=False):
        features = self.encode(images, training, keep_state=True)
        return self.decode(features, ops.shape(images)[1:3])

    def postprocess(self, predictions):
        """Turns raw outputs into class ids, meters, unit vectors and so on.

        Args:
            predictions: dict from task name to raw outputs.

        Returns:
            dict from task name to values, see `Task.postprocess`.
        """
        return {
            task.name: task.postprocess(predictions[task.name])
            for task in self.tasks
        }

    def get_config(self):
        return {
            **super().get_config(),
            "backbone": keras.saving.serialize_keras_object(self.backbone),
            "tasks": keras.saving.serialize_keras_object(self.tasks),
            "mean": self.mean,
            "std": self.std,
            "fused_norms": self.fused_norms,
            "remat": self.remat,
            # Keras keeps the flags of layers in plain functional models alone.
            # Names of layers may be others in a model made anew.
            "frozen": [
                i
                for i, layer in enumerate(self._leaves())
                if layer.weights and not layer.trainable
            ],
        }

    def _leaves(self):
        """The layers of backbone and decoders, those of nested models too."""
        return [*_leaves(self.backbone), *self.decoders.values()]

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        frozen = config.pop("frozen", ())
        for key in ("backbone", "tasks"):
            config[key] = keras.saving.deserialize_keras_object(config[key])
        model = cls(**config)
        leaves = model._leaves()
        for i in frozen:
            leaves[i].trainable = False
        return model


def _leaves(layer):
    children = getattr(layer, "layers", None)
    if not children:
        return [layer]
    return [leaf for child in children for leaf in _leaves(child)]
