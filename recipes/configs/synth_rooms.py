"""SynthRooms at small sizes: the tasks, a small network, S4T to fit it.

The learning rate was chosen on corrupted *source* validation images by
`recipes/tune_adaptation.py`, never on a target. There, every rate from 1e-5 to
1e-2 lost to `BatchNormOnly` on average: by 0.12 points of Delta_TTT at 1e-5, by
0.48 at 1e-4, by 3.3 at 1e-3. The smallest loses least.
"""

import keras

import keras_s4t
from keras_s4t import tasks

SOURCE = "synth_rooms/source"

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


def make_trainer(size, num_steps, seed=0, loss_balance="fixed", metrics=None):
    """A compiled `SourceTrainer` of the small network with S4T.

    Args:
        size: int. Side of the images, in pixels.
        num_steps: int. Steps of source training, for the schedule.
        seed: int. Seed of weights and masks.
        loss_balance: `"fixed"` or `"awl"`, see `SourceTrainer`.
        metrics: `"auto"` to measure the tasks in training, or `None`.

    Returns:
        A `SourceTrainer`.
    """
    keras.utils.set_random_seed(seed)
    task_list = make_tasks()
    network = keras_s4t.models.MultiTaskModel(
        keras_s4t.models.resnet_tiny(), task_list
    )
    method = keras_s4t.methods.S4T(
        task_list,
        latent_dim=32,
        synchronizer=dict(image_size=size // 4, patch_size=2),
        mask_ratio=0.75,
        target_weight=TARGET_WEIGHT,
        seed=seed,
    )
    trainer = keras_s4t.SourceTrainer(network, method, loss_balance)
    schedule = keras.optimizers.schedules.CosineDecay(2e-3, num_steps)
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=1e-4)
    trainer.compile(optimizer, metrics)
    return trainer


def make_optimizer(learning_rate=LEARNING_RATE):
    """The optimizer of the adaptation."""
    return keras.optimizers.SGD(learning_rate)
