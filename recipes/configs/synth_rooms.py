"""SynthRooms at small sizes: the tasks, a small network, methods to fit it.

The learning rate was chosen on corrupted *source* validation images by
`recipes/tune_adaptation.py`, never on a target. There, every rate from 1e-5 to
1e-2 lost to `BatchNormOnly` on average: by 0.12 points of Delta_TTT at 1e-5, by
0.48 at 1e-4, by 3.3 at 1e-3. The smallest loses least.
"""

import keras

import keras_s4t
from keras_s4t import tasks

SOURCE = "synth_rooms/source"
TARGETS = tuple(
    f"synth_rooms/{name}" for name in keras_s4t.data.DOMAINS if name != "source"
)

# Further arguments of `keras_s4t.data.load`.
LOAD_OPTIONS = {}

LEARNING_RATE = 1e-5
# Scales the loss as the learning rate of SGD does, so it needs no tuning.
TARGET_WEIGHT = 1.0


def make_tasks():
    """The four tasks. Thin edges need the squared error; see `tasks.edge`."""
    names = keras_s4t.data.SynthRooms.class_names
    return [
        tasks.semseg(num_classes=len(names), class_names=names),
        tasks.depth(),
        tasks.normals(),
        tasks.edge(loss="mse", weight=10.0),
    ]


def make_network(seed=0):
    """The small network.

    Args:
        seed: int. Seed of the weights.

    Returns:
        A `MultiTaskModel`.
    """
    keras.utils.set_random_seed(seed)
    return keras_s4t.models.MultiTaskModel(
        keras_s4t.models.resnet_tiny(), make_tasks()
    )


def make_method(name, size, seed=0):
    """A method of a size that fits the small network.

    Args:
        name: Name of a method's class.
        size: int. Side of the images, in pixels.
        seed: int. Seed of masks, noise and views.

    Returns:
        A `Method`.
    """
    synchronizer = dict(image_size=size // 4, patch_size=2)
    options = {
        "S4T": dict(
            tasks=make_tasks(),
            latent_dim=32,
            synchronizer=synchronizer,
            mask_ratio=0.75,
            target_weight=TARGET_WEIGHT,
            seed=seed,
        ),
        "S4TImageRecon": dict(
            latent_dim=4 * 32,
            synchronizer=synchronizer,
            mask_ratio=0.75,
            target_weight=TARGET_WEIGHT,
            seed=seed,
        ),
        "TIPI": dict(seed=seed),
        "TTT": dict(hidden_dim=256, seed=seed),
        "TTTPlusPlus": dict(projection_dim=64, seed=seed),
        "TTTFlow": dict(hidden_dim=64, seed=seed),
        "ActMAD": dict(image_size=(size, size)),
        "NCTTT": dict(projection_dim=64, seed=seed),
    }
    return keras_s4t.methods.get(name, **options.get(name, {}))


def make_trainer(
    network,
    method,
    num_steps,
    loss_balance="fixed",
    metrics=None,
    frozen_network=False,
):
    """A compiled `SourceTrainer`.

    Args:
        network: What `make_network` returned.
        method: A `Method`.
        num_steps: int. Steps of source training, for the schedule.
        loss_balance: `"fixed"` or `"awl"`, see `SourceTrainer`.
        metrics: `"auto"` to measure the tasks in training, or `None`.
        frozen_network: bool. Whether the method alone is trained.

    Returns:
        A `SourceTrainer`.
    """
    trainer = keras_s4t.SourceTrainer(
        network, method, loss_balance, frozen_network
    )
    peak = 1e-3 if frozen_network else 2e-3
    schedule = keras.optimizers.schedules.CosineDecay(peak, num_steps)
    optimizer = keras.optimizers.AdamW(
        schedule,
        weight_decay=1e-4,
        # A flow's first likelihoods are far off.
        global_clipnorm=1.0 if frozen_network else None,
    )
    trainer.compile(optimizer, metrics)
    return trainer


def make_optimizer(learning_rate=LEARNING_RATE):
    """The optimizer of the adaptation."""
    return keras.optimizers.SGD(learning_rate)
