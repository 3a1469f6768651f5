import keras

BN_MODES = ("source", "batch", "update")


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
        needs_source: What must be done on the source before: `"nothing"`,
            `"statistics"` (`TargetAdapter.collect`) or `"training"`
            (`SourceTrainer`).
    """

    bn_mode = "source"
    needs_source = "nothing"

    def build(self, features_shape):
        """Creates the extra layers.

        Args:
            features_shape: dict from pyramid level (`"P2"` ... `"P5"`) to
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
            features: dict from level to features, in inference mode.
        """

    def target_loss(self, model, images, features):
        """Test-time loss on an unlabelled target batch.

        Args:
            model: The `TargetAdapter`, for `model.encode` and `model.decode`.
            images: Tensor of shape `(batch_size, height, width, 3)`, float32
                RGB in 0 ... 255.
            features: dict from level to the features of these images.

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

    def default_optimizer(self, batch_size=8):
        """The optimizer of the method's authors.

        Args:
            batch_size: int. Images per update, for methods whose learning rate
                grows with it.

        Returns:
            A Keras optimizer.
        """
        return keras.optimizers.SGD(2e-5)
