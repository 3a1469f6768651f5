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

    def make(self, s4t, size, seed):
        """A new method and its optimizer.

        Args:
            s4t: `S4T`, trained.
            size: int. Side of the images.
            seed: int.
        """
        if self.method == METHOD:
            method = ReplayS4T.from_trained(
                s4t, image_size=size, seed=seed, **dict(self.options)
            )
        elif self.method == "S4T":
            # Trained layers, which a reset returns to.
            method = s4t
        else:
            method = {
                BASE: SourceOnly,
                CONTROL: BatchNormOnly,
                "Tent": Tent,
            }[self.method]()
        optimizer = method.default_optimizer()
        if self.learning_rate is not None:
            optimizer.learning_rate = self.learning_rate
        return method, optimizer


def replay(steps, learning_rate, **options):
    """A candidate of the method."""
    return Candidate(METHOD, steps, learning_rate, tuple(options.items()))


def candidates(quick=False):
    """What is chosen from, on corrupted source images."""
    if quick:
        return [replay(1, 1e-4), replay(1, 1e-3, update="batch_norm")]
    # To Adam, the ratio of the two weights matters alone.
    return [
        replay(1, 1e-4, teacher_weight=1.0),
        replay(4, 1e-4, teacher_weight=1.0),
        replay(4, 3e-4, teacher_weight=1.0),
        replay(1, 1e-4, teacher_weight=0.3),
        replay(4, 1e-4, teacher_weight=0.3),
        replay(4, 1e-3, teacher_weight=1.0, update="batch_norm"),
    ]


def compared(chosen):
    """What a target is adapted to with: controls, the chosen one, its parts.

    Args:
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
    several = {1, steps}
    return [
        Candidate(BASE, 0),
        *(Candidate(CONTROL, count) for count in sorted(several)),
        Candidate("Tent", steps),
        Candidate("S4T", steps),
        part(replay_weight=0.0),
        part(teacher_weight=0.0),
        part(teacher_weight=0.0, restyles=False),
        chosen,
    ]
