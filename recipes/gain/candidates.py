"""Methods that are compared at the same predictions and steps."""

import dataclasses

from keras_s4t.methods import BatchNormOnly
from keras_s4t.methods import ReplayS4T
from keras_s4t.methods import SourceOnly
from keras_s4t.methods import Tent

BASE, CONTROL, METHOD = "Base", "BatchNormOnly", "ReplayS4T"


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A method, how it is optimized, and for how many steps on each batch.

    Attributes:
        method: Name of the class of the method.
        steps: int.
        learning_rate: Optional float, instead of the method's own.
        options: Tuple of pairs, arguments of `ReplayS4T`.
    """

    method: str
    steps: int = 1
    learning_rate: float | None = None
    options: tuple = ()

    @property
    def title(self):
        """For people and as a key."""
        parts = [self.method]
        parts += [f"{name}={value}" for name, value in self.options]
        if self.learning_rate is not None:
            parts.append(f"rate={self.learning_rate:g}")
        return ", ".join([*parts, f"steps={self.steps}"])

    def make(self, source):
        """A new method and its optimizer.

        Args:
            source: `Source`.
        """
        s4t = source.s4t
        if self.method == METHOD:
            method = ReplayS4T.from_trained(
                s4t,
                image_size=source.size,
                seed=source.seed,
                **dict(self.options),
            )
        elif self.method == "S4T":
            # Trained layers, which a reset returns to.
            method = s4t
        elif self.method == "Tent":
            method = Tent(update=source.norms)
        else:
            method = {BASE: SourceOnly, CONTROL: BatchNormOnly}[self.method]()
        optimizer = method.default_optimizer()
        if self.learning_rate is not None:
            optimizer.learning_rate = self.learning_rate
        return method, optimizer


def replay(steps, learning_rate, **options):
    """A candidate of the method."""
    return Candidate(METHOD, steps, learning_rate, tuple(options.items()))


def controls(source, steps):
    """The source model, and batch norm statistics where there are any.

    Args:
        source: `Source`.
        steps: Collection of ints, the steps on each batch.

    Returns:
        list of `Candidate`.
    """
    base = [Candidate(BASE, 0)]
    if not source.has_batch_norm:
        return base
    return base + [Candidate(CONTROL, count) for count in sorted({1, *steps})]


def control_of(source):
    """What a gain is measured over: `BatchNormOnly`, or else the source model.

    Args:
        source: `Source`.

    Returns:
        A `Candidate`.
    """
    return controls(source, ())[-1]


def candidates(source, quick=False):
    """What is chosen from, on corrupted source images.

    Args:
        source: `Source`.
        quick: bool. Whether two are enough.

    Returns:
        list of `Candidate`.
    """
    if quick:
        return [replay(1, 1e-4), replay(1, 1e-3, update=source.norms)]
    # To Adam, the ratio of the two weights matters alone.
    return [
        replay(1, 1e-4, teacher_weight=1.0),
        replay(4, 1e-4, teacher_weight=1.0),
        replay(4, 3e-4, teacher_weight=1.0),
        replay(1, 1e-4, teacher_weight=0.3),
        replay(4, 1e-4, teacher_weight=0.3),
        replay(4, 1e-3, teacher_weight=1.0, update=source.norms),
    ]


def compared(source, chosen):
    """What a target is adapted to with: controls, the chosen one, its parts.

    Args:
        source: `Source`.
        chosen: The chosen `Candidate`.

    Returns:
        list of `Candidate`.
    """
    options = dict(chosen.options)

    def part(**changes):
        return replay(
            chosen.steps, chosen.learning_rate, **{**options, **changes}
        )

    steps = chosen.steps
    return [
        *controls(source, {steps}),
        Candidate("Tent", steps),
        Candidate("S4T", steps),
        part(replay_weight=0.0),
        part(teacher_weight=0.0),
        part(teacher_weight=0.0, restyles=False),
        chosen,
    ]
