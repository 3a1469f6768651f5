import math

import keras

BN_MODES = ("source", "batch", "update")


@keras.saving.register_keras_serializable("keras_s4t")
class Method(keras.layers.Layer):
    """Base class of test-time training methods.

    A method is a Keras layer, so its layers and statistics are tracked, saved
    and reset with the model. Subclasses answer up to six questions: which
    extra layers (`build`), which source loss (`source_loss`), which source
    statistics (`collect`), which test-time loss (`target_loss`), which
    variables move (`select`), and how batch normalization behaves meanwhile
    (`bn_mode`). By default a method adds nothing.

    Args:
        prior: float. Number of images that the source counts as where batch
            norms normalize with, and moving statistics follow, the batch:
            `share * source + (1 - share) * batch` with `share = prior / (prior
            + batch_size)`. For batches of few images; 0 for the batch alone.
        momentum: Optional float in [0, 1) of the moving statistics that follow
            the target; by default that of each layer, 0.9 in a ResNet.

    Attributes:
        title: What tables call the method; the name of the class if empty.
        bn_mode: `"source"` normalizes with the source statistics, `"batch"`
            with those of each target batch, in prediction too, `"update"` with
            those of each batch while the moving statistics, which prediction
            uses, follow the target.
        decodes: bool. Whether `target_loss` decodes `features` with
            `keep_state=True`. If so, and if the moving statistics follow the
            target, those of a decoder with batch norms do, too.
        updates_variables: bool. Whether `select` names variables at all. If
            so, `TargetAdapter.fit` raises an error where there are none.
        needs_source: Tuple of what must be done on the source before:
            `"training"` (`SourceTrainer`) and `"statistics"`
            (`TargetAdapter.collect`), in this order. `TargetAdapter.fit`
            raises an error if it was not done.
        remembers: bool. Whether `TargetAdapter.collect` hands labeled images
            to `remember`, in the place of features to `collect`.
        frozen_network: bool. Whether source training leaves the network as it
            is, and trains the method alone, on a network trained before.
        shares_batch: bool. Whether losses are means over images or pixels, so
            that several replicas or processes can compute a step together,
            each on its share of a batch. If not, they raise an error. The
            devices of JAX are no replicas.

    Raises:
        ValueError: If `prior` or `momentum` is out of its range.

    References:
    - For `prior`: Schneider et al., "Improving robustness against common
      corruptions by covariate shift adaptation", NeurIPS 2020, Equation 3.
    """

    title = ""
    bn_mode = "source"
    decodes = False
    updates_variables = True
    needs_source = ()
    remembers = False
    frozen_network = False
    shares_batch = True

    def __init__(self, prior=0.0, momentum=None, **kwargs):
        super().__init__(**kwargs)
        if not 0 <= prior < math.inf:
            raise ValueError(
                "`prior` must be finite and not negative. "
                f"Received: prior={prior}"
            )
        if momentum is not None and not 0 <= momentum < 1:
            raise ValueError(
                "`momentum` must be None or in the range [0, 1). "
                f"Received: momentum={momentum}"
            )
        self.prior = prior
        self.momentum = momentum
        # Weights, so that they are saved with the method.
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

    def check_target(self, x, batch_size=None):
        """Raises a `ValueError` if the method cannot adapt to a target.

        Args:
            x: The images or the dataset that `TargetAdapter.fit` was given.
            batch_size: Optional int, the argument of `fit` for arrays.
        """

    def mark_done(self, need):
        """Marks a need of the method as met on the source.

        Args:
            need: `"training"` or `"statistics"`. Ignored if the method does
                not need it.
        """
        if need in self._done:
            self._done[need].assign(1)

    @property
    def missing(self):
        """Tuple of the needs that are not met yet."""
        return tuple(
            need
            for need, done in self._done.items()
            if not int(keras.ops.convert_to_numpy(done))
        )

    def taps(self, network):
        """The features that `collect` and `target_loss` read.

        The encoder runs up to the last of them.

        Args:
            network: The `MultiTaskModel`.

        Returns:
            Tuple of patterns: levels `"P2"` ... `"P5"`, and `"norm_0"`,
            `"norm_1"`, ..., the outputs of the encoder's batch norms in its
            order.
        """
        return ("P*",)

    def features_shape(self, network):
        """The shapes that `build` is called with.

        Args:
            network: The `MultiTaskModel`.

        Returns:
            dict from pyramid level and from tapped feature to
            `(batch_size, height, width, channels)`, `None` where unknown.
        """
        return network.tapped_encoder.shapes(("P*", *self.taps(network)))

    def build(self, features_shape):
        """Creates the extra layers.

        Args:
            features_shape: What `features_shape` returned.
        """
        self.built = True

    def source_loss(self, trainer, images, features, supervise):
        """What the method adds to the source loss.

        Args:
            trainer: The `SourceTrainer`, for `trainer.encode` and
                `trainer.decode`.
            images: Tensor of shape `(batch_size, height, width, 3)`, float32
                RGB in 0 ... 255.
            features: dict from level to the features of these images.
            supervise: `supervise(predictions)`, the task losses as a dict from
                task name to a scalar: a method can use supervision, but never
                sees a label. Tasks without labels are not in it.

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

    def remember(self, images, labels, masks):
        """Keeps what it needs of labeled source images.

        Args:
            images: Array of shape `(num_images, height, width, channels)`, all
                that `TargetAdapter.collect` was given.
            labels: dict from task name to labels.
            masks: dict from task name to masks, perhaps empty.
        """

    def build_for(self, network):
        """Creates weights that depend on the variables of the network.

        Called when a `TargetAdapter` is made, after `build`.

        Args:
            network: The `MultiTaskModel`.
        """

    def target_loss(self, adapter, images, features):
        """Test-time loss on an unlabeled target batch.

        Args:
            adapter: The `TargetAdapter`, for `adapter.encode`,
                `adapter.decode` and `adapter.input_gradient`. Moving statistics
                follow what is encoded or decoded with `keep_state=True` only,
                as `features` were.
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

    def get_config(self):
        return {
            **super().get_config(),
            "prior": self.prior,
            "momentum": self.momentum,
        }

    def default_optimizer(self):
        """The optimizer of the method's authors, for the test-time steps.

        Returns:
            A Keras optimizer.
        """
        return keras.optimizers.SGD(2e-5)
