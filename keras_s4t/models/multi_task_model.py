import threading

import keras
import numpy as np
from keras import ops

from keras_s4t import imagenet
from keras_s4t.checks import check_images
from keras_s4t.checks import check_task_names
from keras_s4t.export import Exportable
from keras_s4t.models.decoders.decoder import Decoder
from keras_s4t.models.decoders.pyramid import PyramidDecoder
from keras_s4t.models.encoder import make_encoder
from keras_s4t.models.following import Following
from keras_s4t.models.following import follow
from keras_s4t.models.fused_batch_norm import FusedBatchNorm
from keras_s4t.models.leaves import BATCH_NORMS
from keras_s4t.models.leaves import NORMS
from keras_s4t.models.leaves import leaves
from keras_s4t.models.leaves import norms
from keras_s4t.models.leaves import wrapped
from keras_s4t.models.tapped_encoder import PYRAMID
from keras_s4t.models.tapped_encoder import TappedEncoder
from keras_s4t.presets import Preset
from keras_s4t.state.kept_state import StateMixins
from keras_s4t.state.pure_call import without_writing
from keras_s4t.state.whole_weights import WholeWeights
from keras_s4t.state.whole_weights import save_task_names
from keras_s4t.state.whole_weights import without_task_names


@keras.saving.register_keras_serializable("keras_s4t")
class MultiTaskModel(
    *StateMixins, Exportable, Preset, WholeWeights, keras.Model
):
    """One encoder and a decoder of several dense tasks.

    The encoder is the feature pyramid of a keras-hub backbone behind an input
    normalization. By default, the decoder is one 1x1 convolution per task on
    the pyramid fused at a quarter of the image size, resized to the image.

    Args:
        backbone: A `keras_hub.models.FeaturePyramidBackbone`, or any
            functional model with a dict `pyramid_outputs`.
        tasks: list of `keras_s4t.tasks.Task`.
        decoder: Optional `Decoder` for the outputs of the tasks, in their
            order. Defaults to a `PyramidDecoder`.
        mean: Tuple of floats, what the normalization subtracts from each
            channel of images scaled to [0, 1]. Defaults to ImageNet's, for
            RGB.
        std: Tuple of floats, what it then divides by.
        fused_norms: bool. Whether batch normalizations of the encoder run as
            one fused operation each, see `FusedBatchNorm`, and convolutions as
            matrix products on devices that compute those faster, see
            `ProductConvolution`.
        remat: bool. Whether the encoder computes its activations again for
            the backward pass instead of keeping them; see
            `RematerializedModel`.

    Call arguments:
        images: Tensor of shape `(batch_size, height, width, channels)`,
            float32 or uint8 in 0 ... 255, the 3 channels of RGB unless the
            backbone takes others.

    Returns:
        dict from task name to raw outputs (logits for classes) of shape
        `(batch_size, height, width, task.num_outputs)`.

    Raises:
        ValueError: If a task is given twice or none is, the backbone is no
            feature pyramid or takes other channels than `mean`, the decoder
            has other outputs, Keras is set to channels first, or images are
            not a batch of such images.

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
        decoder=None,
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
        self.encoder = make_encoder(backbone, fused_norms)
        channels = self.encoder.input.shape[-1] or len(mean)
        if not len(mean) == len(std) == channels:
            raise ValueError(
                "`mean` and `std` must hold a number for each channel of the "
                f"images, {channels} for this backbone. "
                f"Received: mean={tuple(mean)}, std={tuple(std)}"
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
        self.tapped_encoder = TappedEncoder(self.encoder, remat)
        num_outputs = {task.name: task.num_outputs for task in tasks}
        if decoder is None:
            decoder = PyramidDecoder(num_outputs, dtype=policy, name="decoder")
        if not isinstance(decoder, Decoder):
            raise ValueError(
                "`decoder` must be a `keras_s4t.models.Decoder`. "
                f"Received: decoder={decoder!r}"
            )
        received = dict(decoder.num_outputs)
        if list(received.items()) != list(num_outputs.items()):
            raise ValueError(
                "`decoder.num_outputs` must be those of the tasks, in their "
                f"order: {num_outputs}. Received: {received}"
            )
        if not decoder.built:
            decoder.build(self.features_shape)
        self.decoder = decoder

        # === Config ===
        self.tasks = list(tasks)
        self.mean = tuple(mean)
        self.std = tuple(std)
        self.fused_norms = fused_norms
        self.remat = remat
        self.built = True

        # On JAX, the thread that holds the values of the variables.
        self.looping_thread = None
        # A weak reference to the adapter that moved the network.
        self.adapted_by = None

    @classmethod
    def from_functional(
        cls, model, tasks, features, image_range=(0, 255), **kwargs
    ):
        """Makes a network of a functional model, cut at named layers.

        Encoder and decoder share the layers of the model, and so does what is
        trained or adapted. Nested models are replaced by their layers.

        Args:
            model: A functional or sequential `keras.Model` from a batch of
                images to a dict of raw outputs by task name, or to one tensor
                for one task. Logits of classes come before the softmax.
                Outputs that are smaller than the images are resized,
                bilinearly.
            tasks: list of `keras_s4t.tasks.Task`.
            features: list of names of layers. Their outputs, maps of
                different strides, are the features: what comes before is the
                encoder. Layers of nested models are found by their names or
                by paths such as `"resnet50/conv2_block3_out"`. They become
                the levels of a pyramid, `"P2"` for stride 4.
            image_range: Pair of numbers, the range of images that the model
                takes. Images of 0 ... 255 are scaled to it.
            **kwargs: `fused_norms`, `remat`, `name` and `dtype`, as above.

        Returns:
            A `MultiTaskModel`.

        Raises:
            ValueError: If the model is of another kind, has several inputs or
                other outputs; a feature is not a map or is not found; or a
                skip connection leads around the features.

        Example:

        ```python
        inputs = keras.Input((None, None, 3))
        backbone = keras.applications.MobileNetV2(
            include_top=False, input_tensor=inputs
        )
        x = backbone.get_layer("block_13_expand_relu").output
        x = keras.layers.Conv2D(64, 3, padding="same", activation="relu")(x)
        outputs = {
            "semseg": keras.layers.Conv2D(7, 1)(x),
            "depth": keras.layers.Conv2D(1, 1)(x),
        }
        network = keras_s4t.models.MultiTaskModel.from_functional(
            keras.Model(inputs, outputs),
            [keras_s4t.tasks.semseg(num_classes=7), keras_s4t.tasks.depth()],
            features=["block_13_expand_relu"],
            image_range=(-1, 1),
        )
        ```
        """
        # That module imports this one.
        from keras_s4t.models.own_network import FunctionalNetwork

        return FunctionalNetwork(model, tasks, features, image_range, **kwargs)

    @classmethod
    def from_subclassed(
        cls, model, tasks, image_range=(0, 255), num_channels=3, **kwargs
    ):
        """Makes a network of a model with `encode` and `decode`.

        The contract of the model, a layer or model of any class:

        - `encode(images, training=False)` returns a dict of features, maps of
          shape `(batch_size, height, width, channels)` with different strides.
        - `decode(features, training=False)` takes this dict, and nothing else,
          and returns a dict of raw outputs by task name, or one tensor for one
          task. Smaller outputs than the images are resized, bilinearly.
        - `training` says whether batch norms use the statistics of the batch.
        - To be saved, it is registered and has a `get_config`, as Keras asks.

        Both are called once, with a blank image, which builds the model. The
        variables that `encode` reads then are the encoder's.

        Args:
            model: The model.
            tasks: list of `keras_s4t.tasks.Task`.
            image_range: As `from_functional` takes it.
            num_channels: int. Channels of the images.
            **kwargs: As `from_functional` takes them.

        Returns:
            A `MultiTaskModel`.

        Raises:
            ValueError: If the model does not keep the contract.
        """
        # That module imports this one.
        from keras_s4t.models.own_network import SubclassedNetwork

        return SubclassedNetwork(
            model, tasks, image_range, num_channels, **kwargs
        )

    @property
    def num_channels(self):
        """Channels of the images."""
        return len(self.mean)

    @property
    def features_shape(self):
        """Dict from level to `(batch_size, height, width, channels)`."""
        return self.tapped_encoder.shapes()

    @property
    def decoders(self):
        """The layers of a `PyramidDecoder` by task name; else empty.

        Models saved before the decoder was a layer have them here.
        """
        return getattr(self.decoder, "convolutions", {})

    def __dir__(self):
        # Keras saves the layers that it finds in attributes, in alphabetical
        # order. These are saved where they belong.
        return [
            name
            for name in super().__dir__()
            if name != "leaves" and "batch_norms" not in name
        ]

    @property
    def batch_norms(self):
        """The batch normalization layers of the encoder, then the decoder."""
        return self.norms(BATCH_NORMS)

    @property
    def encoder_batch_norms(self):
        """The batch normalization layers of the encoder, in its order."""
        return norms(self.encoder, BATCH_NORMS)

    @property
    def decoder_batch_norms(self):
        """The batch normalization layers of the decoder."""
        encoders = self.encoder_batch_norms
        found = norms(self.decoder, BATCH_NORMS)
        return [norm for norm in found if norm not in encoders]

    @property
    def tapped_batch_norms(self):
        """Those whose outputs are features; see `TappedEncoder`.

        All of the encoder's but those inside of layers, one for each call.
        """
        return self.tapped_encoder.norms

    @property
    def moving_statistics(self):
        """Moving means and variances of all batch normalization layers."""
        return [
            variable
            for layer in self.batch_norms
            for variable in layer.non_trainable_variables
        ]

    def norms(self, kinds=NORMS):
        """The normalization layers of the encoder, then the decoder.

        Args:
            kinds: Tuple of classes. Defaults to batch, group, layer and RMS
                normalization.

        Returns:
            list of layers, once each.
        """
        found = norms(self.encoder, kinds) + norms(self.decoder, kinds)
        return list(dict.fromkeys(found))

    @property
    def affine_variables(self):
        """Scales and offsets of all batch normalization layers."""
        return self.norm_variables("batch_norm")

    def norm_variables(self, update, encoder_only=False):
        """Scales and offsets of normalization layers that are not frozen.

        Args:
            update: `"batch_norm"` for those of batch normalization, `"norms"`
                for those of group, layer and RMS normalization, too.
            encoder_only: bool. Whether the decoder's are left out.

        Returns:
            list of variables.
        """
        kinds = {"batch_norm": BATCH_NORMS, "norms": NORMS}[update]
        found = self.norms(kinds)
        if encoder_only:
            found = norms(self.encoder, kinds)
        return [v for layer in found for v in layer.trainable_variables]

    def variables_up_to(self, level):
        """Trainable variables of the encoder up to a level, such as `"P3"`."""
        return self.tapped_encoder.part((level,)).trainable_variables

    def following(self, prior=0.0, momentum=None, source=None):
        """How batch norms use the statistics of a batch, for `encode`.

        Args:
            prior: float. Number of images that the source counts as: batch
                norms normalize with, and moving statistics follow, `share *
                source + (1 - share) * batch`, `share = prior / (prior +
                batch_size)`. With 0, as usual.
            momentum: Optional float of the moving statistics, in the place of
                that of each layer.
            source: Optional dict from the `id` of a moving statistic to its
                value on the source, a tensor; by default the present values.

        Returns:
            A `Following`.

        References:
        - Schneider et al., "Improving robustness against common corruptions by
          covariate shift adaptation", NeurIPS 2020, Equation 3.
        """
        return Following(prior, momentum, source or {})

    def check_following(self):
        """Raises a `ValueError` if a batch norm does not heed a `Following`."""
        wrappers = [
            wrapper
            for part in (self.encoder, self.decoder)
            for wrapper in wrapped(part, FusedBatchNorm)
        ]
        reached = {id(wrapper.norm) for wrapper in wrappers}
        others = [
            norm
            for norm in self.batch_norms
            if id(norm) not in reached and not hasattr(norm, "is_fused")
        ]
        if others:
            raise ValueError(
                "`prior` and `momentum` must be 0 and None where batch norms "
                "are computed by their own layers, as within other layers and "
                f"with `fused_norms=False`. Received: {len(others)} such "
                f"batch norms, the first is {others[0].name!r}"
            )

    def encode(
        self,
        images,
        training=None,
        taps=None,
        keep_state=False,
        following=None,
    ):
        """Features of a batch of images.

        Args:
            images: As in the call arguments.
            training: Optional bool. Whether batch norm uses the statistics of
                these images; by default it does not.
            taps: Optional tuple of patterns of features, by default all
                levels; see `TappedEncoder`.
            keep_state: bool. Whether moving statistics follow these images,
                if their own are used.
            following: Optional `Following`, how they do; see `following`.

        Returns:
            dict from name to a tensor of shape
            `(batch_size, height / stride, width / stride, channels)`.
        """
        check_images(images, self.num_channels)
        if self.looping_thread not in (None, threading.get_ident()):
            raise RuntimeError(
                "The network cannot be used while `fit`, `evaluate` or "
                "`predict` runs in another thread: on JAX its variables are "
                "empty meanwhile. Use `TargetAdapter.adapt` batch by batch, or "
                "a copy of the network for predictions."
            )

        def run():
            inputs = self.normalization(images)
            with follow(following):
                return self.tapped_encoder(
                    inputs, taps or PYRAMID, bool(training)
                )

        if keep_state or not training:
            return run()
        return without_writing(run, self.variables)

    def decode(
        self, features, size, training=None, keep_state=False, following=None
    ):
        """Predictions from features.

        Args:
            features: What `encode` returned.
            size: Pair of ints or int tensors, `(height, width)` of the images.
            training: Optional bool. Whether batch norms of the decoder use the
                statistics of these features; by default they do not.
            keep_state: bool. Whether moving statistics follow these features,
                if their own are used.
            following: As in `encode`.

        Returns:
            dict from task name to raw outputs, as the model returns them.
        """
        with follow(following):
            return self._decode(
                self.decoder, features, size, training, keep_state
            )

    def decode_with_auxiliaries(
        self, features, size, training=None, keep_state=False
    ):
        """As `decode`, with the auxiliary predictions of deep supervision.

        Returns:
            Pair of what `decode` returns and a list of such dicts; see
            `Decoder.with_auxiliaries`.
        """
        decode = self.decoder.with_auxiliaries
        return self._decode(decode, features, size, training, keep_state)

    def _decode(self, decode, features, size, training, keep_state):
        def run():
            return decode(features, size=size, training=bool(training))

        writes = training and self.decoder.non_trainable_variables
        if keep_state or not writes:
            return run()
        return without_writing(run, self.variables)

    def call(self, images, training=False):
        features = self.encode(images, training, keep_state=True)
        size = ops.shape(images)[1:3]
        return self.decode(features, size, training, keep_state=True)

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

    def save(self, filepath, *args, **kwargs):
        """As `keras.Model.save`; nothing is written if the config fails."""
        # Keras empties the file first.
        self.get_config()
        super().save(filepath, *args, **kwargs)

    def save_own_variables(self, store):
        """Saves the names of the tasks, which `load_weights` compares."""
        super().save_own_variables(store)
        save_task_names(store, self.tasks)

    def load_own_variables(self, store):
        """Loads what `save_own_variables` saved, but names."""
        super().load_own_variables(without_task_names(store))

    def get_config(self):
        return {
            **super().get_config(),
            **self._parts(),
            "tasks": keras.saving.serialize_keras_object(self.tasks),
            "fused_norms": self.fused_norms,
            "remat": self.remat,
            # Keras keeps the flags of layers in plain functional models alone.
            # Names of layers may be others in a model made anew.
            "frozen": [
                i
                for i, layer in enumerate(self.leaves)
                if layer.weights and not layer.trainable
            ],
        }

    def _parts(self):
        """What the network is made of, for `get_config`."""
        return {
            "backbone": keras.saving.serialize_keras_object(self.backbone),
            "decoder": keras.saving.serialize_keras_object(self.decoder),
            "mean": self.mean,
            "std": self.std,
        }

    @property
    def leaves(self):
        """The innermost layers of backbone and decoder."""
        return [*leaves(self.backbone), *leaves(self.decoder)]

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        frozen = config.pop("frozen", ())
        for key in ("backbone", "tasks", "decoder", "model"):
            if key in config:
                config[key] = keras.saving.deserialize_keras_object(config[key])
        model = cls(**config)
        layers = model.leaves
        for i in frozen:
            layers[i].trainable = False
        return model
