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
from configs.backbones import is_tiny
from configs.backbones import make_backbone
from configs.configuration import Configuration
from configs.decoders import check_decoder
from configs.decoders import make_decoder
from keras_s4t import tasks

LATENT_DIM = 32
SEEDED = (
    "S4T",
    "ReplayS4T",
    "S4TImageRecon",
    "TIPI",
    "TTT",
    "TTTPlusPlus",
    "TTTFlow",
    "NCTTT",
)
# Learning rates at the beginning of each stage of source training.
PEAKS = {"network": 2e-3, "joint": 5e-4, "method": 1e-3}
# The weight scales the loss as the learning rate of SGD does, so it needs no
# tuning.
S4T_OPTIONS = {"mask_ratio": 0.75, "target_weight": 1.0}


@dataclasses.dataclass(frozen=True)
class SynthRooms(Configuration):
    """The rooms by day, and all other domains as targets.

    Args:
        size: int. Side of the images, in pixels.
        preset: Backbone, as `make_backbone` takes it.
        decoder: `"pyramid"` for the paper's, or `"mti_net"`.

    Raises:
        ValueError: If the decoder is unknown.
    """

    size: int = 64
    preset: str = "tiny"
    decoder: str = "pyramid"

    name = "synth_rooms"
    # Whether methods have the sizes of the paper's network.
    has_paper_sizes = False
    source = "synth_rooms/source"
    targets = tuple(
        f"synth_rooms/{name}"
        for name in keras_s4t.data.DOMAINS
        if name != "source"
    )
    learning_rate = 1e-5
    source_training = types.MappingProxyType(
        {
            "epochs": 30,
            "batch_size": 16,
            "num_examples": 6000,
            "steps_per_epoch": None,
        }
    )

    def __post_init__(self):
        check_decoder(self.decoder)

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
        decoder = make_decoder(self.decoder, task_list, is_tiny(self.preset))
        return keras_s4t.models.MultiTaskModel(
            make_backbone(self.preset), task_list, decoder
        )

    def make_method(self, name, seed=0, **options):
        sizes = {} if self.has_paper_sizes else self._small_sizes()
        s4t = dict(tasks=self.make_tasks(), **S4T_OPTIONS)
        values = {
            "S4T": s4t,
            "ReplayS4T": dict(**s4t, image_size=self.size),
            "S4TImageRecon": S4T_OPTIONS,
            "ActMAD": dict(image_size=(self.size, self.size)),
        }
        seeds = {"seed": seed} if name in SEEDED else {}
        options = {
            **sizes.get(name, {}),
            **values.get(name, {}),
            **seeds,
            **options,
        }
        return keras_s4t.methods.get(name, **options)

    def _small_sizes(self):
        """Arguments of methods that fit a small network."""
        synchronizer = dict(image_size=self.size // 4, patch_size=2)
        s4t = dict(latent_dim=LATENT_DIM, synchronizer=synchronizer)
        num_tasks = len(self.make_tasks())
        return {
            "S4T": s4t,
            "ReplayS4T": s4t,
            "S4TImageRecon": dict(
                latent_dim=num_tasks * LATENT_DIM, synchronizer=synchronizer
            ),
            "TTT": dict(hidden_dim=256),
            "TTTPlusPlus": dict(projection_dim=64),
            "TTTFlow": dict(hidden_dim=64),
            "NCTTT": dict(projection_dim=64),
        }

    def make_source_optimizer(self, num_steps, stage="network"):
        peak = PEAKS[stage]
        schedule = keras.optimizers.schedules.CosineDecay(peak, num_steps)
        return keras.optimizers.AdamW(
            schedule,
            weight_decay=1e-4,
            # The first losses of a new method, such as the likelihoods of a
            # flow, are far off.
            global_clipnorm=None if stage == "network" else 1.0,
        )

    def make_optimizer(self, learning_rate=None):
        return keras.optimizers.SGD(learning_rate or self.learning_rate)


CONFIG = SynthRooms()
