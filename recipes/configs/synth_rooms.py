"""SynthRooms at small sizes: the tasks, a small network, methods to fit it.

The learning rate was chosen on corrupted *source* validation images by
`recipes/tune_adaptation.py`, never on a target. There, every rate from 1e-5 to
1e-2 lost to `BatchNormOnly` on average: by 0.12 points of Delta_TTT at 1e-5, by
0.48 at 1e-4, by 3.3 at 1e-3. The smallest loses least.
"""

import dataclasses
import types

import keras

import keras_s4t
from configs.backbones import make_backbone
from configs.configuration import Configuration
from keras_s4t import tasks

LATENT_DIM = 32
DECODERS = ("pyramid", "mti_net")
TINY_MTI_NET = {"channels": (16, 24, 32, 48)}
# The weight scales the loss as the learning rate of SGD does, so it needs no
# tuning.
S4T_OPTIONS = {"mask_ratio": 0.75, "target_weight": 1.0}


@dataclasses.dataclass(frozen=True)
class SynthRooms(Configuration):
    """The rooms by day, and all other domains as targets.

    Args:
        size: int. Side of the images, in pixels.
        preset: `"tiny"` for a small backbone, `"random"` for a ResNet50
            without pretrained weights, or a keras-hub preset or preset folder.
        decoder: `"pyramid"` for the paper's, or `"mti_net"`.

    Raises:
        ValueError: If the decoder is unknown.
    """

    size: int = 64
    preset: str = "tiny"
    decoder: str = "pyramid"

    name = "synth_rooms"
    source = "synth_rooms/source"
    targets = tuple(
        f"synth_rooms/{name}"
        for name in keras_s4t.data.DOMAINS
        if name != "source"
    )
    learning_rate = 1e-5
    source_training = types.MappingProxyType(
        {
            "epochs": 12,
            "batch_size": 16,
            "num_examples": 1200,
            "steps_per_epoch": None,
        }
    )

    def __post_init__(self):
        if self.decoder not in DECODERS:
            raise ValueError(
                f"`decoder` must be one of {DECODERS}. "
                f"Received: decoder={self.decoder!r}"
            )

    def make_tasks(self):
        names = keras_s4t.data.SynthRooms.class_names
        return [
            tasks.semseg(num_classes=len(names), class_names=names),
            tasks.depth(),
            tasks.normals(),
            # Thin edges need the squared error; see `tasks.edge`.
            tasks.edge(loss="mse", weight=10.0),
        ]

    def make_network(self, seed=0):
        keras.utils.set_random_seed(seed)
        task_list = self.make_tasks()
        decoder = None
        if self.decoder == "mti_net":
            decoder = keras_s4t.models.MTINetDecoder(
                {task.name: task.num_outputs for task in task_list},
                **(TINY_MTI_NET if self.preset == "tiny" else {}),
            )
        return keras_s4t.models.MultiTaskModel(
            make_backbone(self.preset), task_list, decoder
        )

    def make_method(self, name, seed=0):
        synchronizer = dict(image_size=self.size // 4, patch_size=2)
        options = {
            "S4T": dict(
                tasks=self.make_tasks(),
                latent_dim=LATENT_DIM,
                synchronizer=synchronizer,
                seed=seed,
                **S4T_OPTIONS,
            ),
            "S4TImageRecon": dict(
                latent_dim=len(self.make_tasks()) * LATENT_DIM,
                synchronizer=synchronizer,
                seed=seed,
                **S4T_OPTIONS,
            ),
            "TIPI": dict(seed=seed),
            "TTT": dict(hidden_dim=256, seed=seed),
            "TTTPlusPlus": dict(projection_dim=64, seed=seed),
            "TTTFlow": dict(hidden_dim=64, seed=seed),
            "ActMAD": dict(image_size=(self.size, self.size)),
            "NCTTT": dict(projection_dim=64, seed=seed),
        }
        return keras_s4t.methods.get(name, **options.get(name, {}))

    def make_source_optimizer(self, num_steps, frozen_network=False):
        peak = 1e-3 if frozen_network else 2e-3
        schedule = keras.optimizers.schedules.CosineDecay(peak, num_steps)
        return keras.optimizers.AdamW(
            schedule,
            weight_decay=1e-4,
            # A flow's first likelihoods are far off.
            global_clipnorm=1.0 if frozen_network else None,
        )

    def make_optimizer(self, learning_rate=None):
        return keras.optimizers.SGD(learning_rate or self.learning_rate)


CONFIG = SynthRooms()
