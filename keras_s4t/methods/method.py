import keras

BN_MODES = ("source", "batch", "update")
NEEDS = ("training", "statistics")


@keras.saving.register_keras_serializable("keras_s4t")
class Method(keras.layers.Layer):
    """What a method adds to a multi-task network; the defaults add nothing.

    A method is a Keras layer, so the layers and statistics it owns are
    tracked, saved and reset with the model. Subclasses answer up to six
    questions: which extra layers (`build`), which source loss
    (`source_loss`), which source statistics (`collect`), which test-time loss
    (`target_loss`), which variables move (`select`), and how batch
    normalization behaves meanwhile (`bn_mode`).

    Attributes:
        bn_mode: `"source"` normalizes with the source statistics, `"batch"`
            with those of each target batch, in prediction too, `"update"` with
            those of each batch while the moving statistics, which prediction
            uses, follow the target.
        needs_source: Tuple of what must be done on the source before:
            `"training"` (`SourceTrainer`) and `"statistics"`
            (`TargetAdapter.collect`), in this order. `TargetAdapter.fit`
            raises an error if it was not done.
        source_stage: How the training is done: `"joint"`, with the network, or
            `"frozen"`, afterwards on a network that stays as it is
            (`SourceTrainer(..., frozen_network=True)`).
        taps: Tuple of patterns, the features that `collect` and `target_loss`
            read: levels `"P2"` ... `"P5"`, and `"norm_0"`, `"norm_1"`, ...,
            the outputs of the encoder's batch norms in its order. The encoder
            runs no further than they need.
        min_batch_size: int. Images that a batch of the target needs; the last
            one of a stream may be smaller.
        image_size: `None`, or the `(height, width)` for which `build` is to
            know the size of the features.
    """

    bn_mode = "source"
    needs_source = ()
    source_stage = "joint"
    taps = ("P*",)
    min_batch_size = 1
    image_size = None

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        # Weights, so that they are saved with what they tell about.
        self._done = {
            need: self.add_weight(
                name=f"has_{need}",
                shape=(),
                dtype="int32",
                initializer="zeros",
                trainable=False,
            )
            for need in self.needs_source
        }

    def check(self, network):
        """Raises a `ValueError` if the method cannot adapt a network.

        Args:
            network: The `MultiTaskModel`. Called before `build`.
        """

    def mark_done(self, need):
        """Notes that something the method needs was done on the source.

        Args:
            need: `"training"` or `"statistics"`. Ignored if the method does
                not need it.
        """
        if need in self._done:
            self._done[need].assign(1)

    @property
    def missing(self):
        """Tuple of what the method still needs from the source."""
        return tuple(
            need for need, done in self._done.items() if not int(done.value)
        )

    def build(self, features_shape):
        """Creates the extra layers.

        Args:
            features_shape: dict from pyramid level and from tapped feature to
                `(batch_size, height, width, channels)`, `None` where unknown.
        """
        self.built = True

    def source_loss(self, model, images, features, supervise):
        """What the method adds to the source loss.

        Args:
            model: The `SourceTrainer`, for `model.encode` and `model.decode`.
            images: Tensor of shape `(batch_size, height, width, 3)`, float32
                RGB in 0 ... 255.
            features: dict from level to the features of these images.
            supervise: `supervise(predictions)`, the task losses as a dict from
                task name to a scalar: a method can use supervision, but never
                sees a label.

        Returns:
            dict from name to a scalar. A task's name adds to the loss of that
            task, inside the loss balance; any other name is added to the total
            as it is.
        """
        return {}

    def collect(self, features):
        """Updates source statistics from the features of one source batch.

        Args:
            features: dict from name to the tapped features, in inference
                mode.
        """

    def target_loss(self, model, images, features):
        """Test-time loss on an unlabelled target batch.

        Args:
            model: The `TargetAdapter`, for `model.encode`, `model.decode` and
                `model.input_gradient`.
            images: Tensor of shape `(batch_size, height, width, 3)`, float32
                RGB in 0 ... 255.
            features: dict from name to the tapped features of these images.

        Returns:
            A scalar.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must implement `target_loss`."
        )

    def select(self, network):
        """The variables that a test-time step updates.

        Args:
            network: The `MultiTaskModel`.

        Returns:
            list of trainable variables of the network and of this method.
        """
        return network.encoder.trainable_variables

    @property
    def moving_variables(self):
        """Weights of this method, other than selected, that steps may write.

        Returns:
            list of non-trainable variables, by default the states of random
            generators.
        """
        return [v for v in self.non_trainable_variables if "seed" in v.path]

    def default_optimizer(self, batch_size=8):
        """The optimizer of the method's authors.

        Args:
            batch_size: int. Images per update, for methods whose learning rate
                grows with it.

        Returns:
            A Keras optimizer.
        """
        return keras.optimizers.SGD(2e-5)
