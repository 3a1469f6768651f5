"""Real datasets in pairs: what the configurations of the paper share.

Source training is that of the paper (appendix A): ResNet50 from ImageNet, Adam
at 2e-5 with polynomial decay, 60,000 steps of eight images. Adaptation is SGD
at 2e-5 with the weight 0.01 in the loss, 40 steps.

The authors' release differs from the paper in what `LEGACY` names. Every switch
goes back to one of its ways:

`inputs`: images of the release's sizes and scaling, padded instead of resized,
Taskonomy's in [-1, 1] and all others by ImageNet's mean and deviation.
`feature_grid`: features fused on a quarter of the size that the release
configures for the source, 112x144 on NYUD-v2, whatever the images' size is.
`normals_axis`: on Taskonomy, the cosine of normals along the image's width.
`log_depth`: on Taskonomy, depth as log(1 + d) / log(65536), d in 1/512 m.
`affine_rmse`: RMSE of depth and edges after one fit per batch.
`target_balance`: S4T's distances weighted by the tasks' squared weights, or
balanced automatically where the target is Taskonomy.
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
from keras_s4t.data import label_spaces

LEGACY = (
    "inputs",
    "feature_grid",
    "normals_axis",
    "log_depth",
    "affine_rmse",
    "target_balance",
)
TASKONOMY, NYUD, PASCAL = "taskonomy_mt", "nyud_mt", "pascal_mt"
# Height and width in multiples of the size: all show about the same detail.
SHAPES = {TASKONOMY: (1, 1), NYUD: (1, 1.375), PASCAL: (1.375, 1.375)}
RELEASE_SHAPES = {TASKONOMY: (256, 256), NYUD: (448, 576), PASCAL: (512, 512)}
# The deepest level of the pyramid has this stride.
STRIDE = 32


@dataclasses.dataclass(frozen=True)
class RealPair(Configuration):
    """Two of the real datasets, source and target.

    Args:
        size: int. Side of Taskonomy's images, and about the shorter side of
            the others', in pixels.
        source: `"taskonomy_mt/tiny_256"` or another config, `"nyud_mt"` or
            `"pascal_mt"`.
        target: Likewise.
        label_space: Name of the classes that both share.
        preset: keras-hub preset or preset folder of the backbone, `"random"`
            for a ResNet50 without pretrained weights, `"tiny"` for a small
            network.
        legacy: Tuple of what the release did differently, of `LEGACY`.
        decoder: `"pyramid"` for the paper's, or `"mti_net"`.

    Raises:
        ValueError: If a switch or the decoder is unknown.
    """

    size: int = 256
    source: str = ""
    target: str = ""
    label_space: str = ""
    preset: str = "resnet_50_imagenet"
    legacy: tuple = ()
    decoder: str = "pyramid"

    learning_rate = 2e-5
    # The 60,000 steps of the paper.
    source_training = types.MappingProxyType(
        {
            "epochs": 60,
            "batch_size": 8,
            "num_examples": None,
            "steps_per_epoch": 1000,
        }
    )

    def __post_init__(self):
        object.__setattr__(self, "legacy", tuple(self.legacy))
        if not set(self.legacy) <= set(LEGACY):
            raise ValueError(
                f"`legacy` must hold switches of {LEGACY}. "
                f"Received: legacy={self.legacy}"
            )

        check_decoder(self.decoder)

    @property
    def name(self):
        """Both datasets' names."""
        pair = self.source_dataset, self.target.split("/")[0]
        return "_to_".join(dataset.removesuffix("_mt") for dataset in pair)

    @property
    def targets(self):
        """The one target."""
        return (self.target,)

    @property
    def source_dataset(self):
        """The source without its config."""
        return self.source.split("/")[0]

    @property
    def from_taskonomy(self):
        """Whether tasks are trained as on Taskonomy."""
        return self.source_dataset == TASKONOMY

    def image_size(self, dataset):
        """Height and width of the images of one of the three datasets."""
        if "inputs" in self.legacy:
            return RELEASE_SHAPES[dataset]
        sides = (self.size * side / STRIDE for side in SHAPES[dataset])
        return tuple(STRIDE * max(1, round(side)) for side in sides)

    def _dataset(self, name):
        return name.split("/")[0].replace("_folder", "_mt")

    def load_options(self, dataset):
        dataset = self._dataset(dataset)
        size = self.image_size(dataset)
        if "inputs" in self.legacy:
            is_taskonomy = dataset == TASKONOMY
            size = keras_s4t.data.Canvas(
                size,
                resize="none",
                image_scaling="taskonomy_release" if is_taskonomy else None,
            )
        return {"label_space": self.label_space, "size": size}

    def augmentation(self, dataset):
        """The release's: section 4.1 of the paper names none."""
        if self._dataset(dataset) == TASKONOMY:
            return keras_s4t.data.Augmentation()
        return keras_s4t.data.Augmentation(
            zoom=(0.5, 2.0),
            brightness=0.125,
            contrast=0.5,
            saturation=0.5,
            hue=0.1,
        )

    def make_tasks(self):
        names = label_spaces.get(self.label_space).class_names
        alignment = "batch_affine" if "affine_rmse" in self.legacy else "none"
        if self.from_taskonomy:
            axis = "normals_axis" in self.legacy
            encoding = "log" if "log_depth" in self.legacy else "metres"
            normals = tasks.normals(loss="row_cosine" if axis else "cosine")
            depth = tasks.depth(encoding=encoding, alignment=alignment)
            edge = tasks.edge(loss="l1", alignment=alignment)
        else:
            normals = tasks.normals(loss="l1", weight=10.0)
            depth = tasks.depth(alignment=alignment)
            edge = tasks.edge("balanced_bce", 50.0, alignment=alignment)
        semseg = tasks.semseg(num_classes=len(names), class_names=names)
        has_depth = PASCAL not in (self.source, self.target)
        return [semseg, *([depth] if has_depth else []), normals, edge]

    def make_network(self, seed=0):
        keras.utils.set_random_seed(seed)
        backbone = make_backbone(self.preset)
        if "feature_grid" in self.legacy:
            height, width = RELEASE_SHAPES[self.source_dataset]
            backbone = keras_s4t.models.FixedGridBackbone(
                backbone, (height // 4, width // 4)
            )
        tasks = self.make_tasks()
        decoder = make_decoder(self.decoder, tasks, is_tiny(self.preset))
        return keras_s4t.models.MultiTaskModel(backbone, tasks, decoder)

    def make_method(self, name, seed=0, **options):
        image_size = self.image_size(self._dataset(self.source))
        # The source loss of NYUD and PASCAL counts each branch by 0.01.
        weight = 1.0 if self.from_taskonomy else 0.01
        s4t = dict(
            tasks=self.make_tasks(),
            source_weights=(weight, weight),
            target_balance=self._target_balance(),
            seed=seed,
        )
        defaults = {
            "S4T": s4t,
            "ReplayS4T": dict(**s4t, image_size=image_size),
            "S4TImageRecon": dict(seed=seed),
            "TIPI": dict(seed=seed),
            "TTT": dict(seed=seed),
            "TTTPlusPlus": dict(seed=seed),
            "TTTFlow": dict(seed=seed),
            "ActMAD": dict(image_size=image_size),
            "NCTTT": dict(seed=seed),
        }
        options = {**defaults.get(name, {}), **options}
        return keras_s4t.methods.get(name, **options)

    def _target_balance(self):
        if "target_balance" not in self.legacy:
            return "sum"
        is_taskonomy = self.target.startswith(TASKONOMY)
        return "awl" if is_taskonomy else "fixed"

    @property
    def loss_balance(self):
        """Automatic on Taskonomy, where all weights are 1."""
        return "awl" if self.from_taskonomy else "fixed"

    def make_source_optimizer(self, num_steps, stage="network"):
        schedule = keras.optimizers.schedules.PolynomialDecay(
            self.learning_rate, num_steps, end_learning_rate=0.0, power=0.9
        )
        return keras_s4t.optimizers.CoupledAdam(
            schedule,
            l2=1e-6,
            epsilon=1e-8,
            # The first losses of a new method, such as the likelihoods of a
            # flow, are far off.
            global_clipnorm=None if stage == "network" else 1.0,
        )

    def make_optimizer(self, learning_rate=None):
        return keras.optimizers.SGD(
            learning_rate or self.learning_rate, weight_decay=1e-6
        )
