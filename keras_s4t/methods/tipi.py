"""TIPI (Nguyen et al., CVPR 2023): invariance to the worst small change."""

import keras
from keras import ops

from keras_s4t.layers.seeded_layer import SeededLayer
from keras_s4t.losses import softmax_entropy
from keras_s4t.methods.method import Method
from keras_s4t.methods.requirements import check_classes
from keras_s4t.methods.requirements import check_norm_update

# Images per step of the authors' learning rate.
REFERENCE_BATCH_SIZE = 64


@keras.saving.register_keras_serializable("keras_s4t")
class TIPI(Method):
    """Makes predictions invariant to small adversarial shifts of the input.

    A step of the fast gradient sign method searches for the perturbation that
    changes the predictions most, by the mean `Task.divergence` of the tasks.
    The affine parameters of batch norm then reduce this divergence from the
    clean predictions, which are the fixed target. Moving statistics follow the
    clean images only. Tasks without classes are an extension of the paper.

    The authors' learning rate is 0.00025 for 64 images and grows with the
    batch. Here the loss does, as a sum over images, so that the rate fits
    every batch.

    Args:
        epsilon: Positive float. Largest change of a pixel, in gray levels of
            images in 0 ... 255. Perturbed images are not clipped.
        random_start: bool. Whether the perturbation starts from noise, uniform
            in `[-epsilon, epsilon]`. At 0 the gradient of the divergence is 0,
            and rounding errors decide its sign.
        entropy_weight: float, not negative. Weight of the entropy of the clean
            class predictions in the loss.
        entropy_task: Name of the task whose entropy that is.
        sigma: Optional dict from task name to a positive float, by whose
            square the task's divergence is divided: the standard deviation of
            a Gaussian, in the unit of the raw outputs. 1 where missing.
        update: As `Tent` takes it.
        seed: Optional int, seed of the noise.

    Raises:
        ValueError: If a number is out of its range, or `update` is unknown.
    """

    bn_mode = "update"
    decodes = True

    def __init__(
        self,
        epsilon=2.0,
        random_start=True,
        entropy_weight=0.0,
        entropy_task="semseg",
        sigma=None,
        update="batch_norm",
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        sigma = dict(sigma or {})
        if not (min([epsilon, *sigma.values()]) > 0 and entropy_weight >= 0):
            raise ValueError(
                "`epsilon` and `sigma` must be positive and `entropy_weight` "
                f"not negative. Received: epsilon={epsilon}, sigma={sigma}, "
                f"entropy_weight={entropy_weight}"
            )
        check_norm_update(update)
        self.epsilon = epsilon
        self.update = update
        self.random_start = random_start
        self.entropy_weight = entropy_weight
        self.entropy_task = entropy_task
        self.sigma = sigma
        self.seed = seed
        self.noise = SeededLayer(seed, name="noise")

    def check(self, network):
        names = [task.name for task in network.tasks]
        if not set(self.sigma) <= set(names):
            raise ValueError(
                f"`sigma` must hold tasks of the network, {names}. "
                f"Received: sigma={dict(self.sigma)}"
            )
        if self.entropy_weight:
            check_classes(network, entropy_task=self.entropy_task)

    def target_loss(self, adapter, images, features):
        images = ops.cast(images, "float32")
        size = ops.shape(images)[1:3]
        clean = adapter.decode(features, size, keep_state=True)
        reference = {k: ops.stop_gradient(x) for k, x in clean.items()}

        def change(perturbed):
            outputs = adapter.decode(adapter.encode(perturbed), size)
            divergences = [
                task.divergence(outputs[task.name], reference[task.name])
                / self.sigma.get(task.name, 1.0) ** 2
                for task in adapter.tasks
            ]
            return sum(divergences) / len(divergences)

        loss = change(images + self.perturbation(adapter, images, change))
        if self.entropy_weight:
            entropy = softmax_entropy(clean[self.entropy_task])
            loss = loss + self.entropy_weight * entropy
        num_images = ops.cast(ops.shape(images)[0], "float32")
        return loss * num_images / REFERENCE_BATCH_SIZE

    def perturbation(self, adapter, images, change):
        """One ascent step of size `epsilon` on `change`, clipped."""
        limits = (-self.epsilon, self.epsilon)
        start = ops.zeros_like(images)
        if self.random_start:
            start = keras.random.uniform(
                ops.shape(images), *limits, seed=self.noise.seed_generator
            )
        gradient = adapter.input_gradient(change, images + start)
        return ops.clip(start + self.epsilon * ops.sign(gradient), *limits)

    def select(self, network):
        return network.norm_variables(self.update)

    def default_optimizer(self):
        return keras.optimizers.SGD(0.00025, momentum=0.9)

    def get_config(self):
        names = ("epsilon", "random_start", "entropy_weight", "entropy_task")
        names += ("update", "seed")
        config = {name: getattr(self, name) for name in names}
        return {**super().get_config(), **config, "sigma": dict(self.sigma)}
