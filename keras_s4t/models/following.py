"""How batch norms normalize a batch of the target, and follow it."""

import contextlib
import contextvars
import dataclasses

from keras import ops


@dataclasses.dataclass(frozen=True)
class Following:
    """What batch norms do with the statistics of a batch.

    They normalize with `share * source + (1 - share) * batch`, where `share` is
    `prior / (prior + batch_size)`: the source counts as `prior` images. This is
    what moving statistics follow, too.

    Attributes:
        prior: float. Number of images that the source counts as.
        momentum: float of the moving statistics, or `None` for that of each
            layer.
        source: dict from the `id` of a moving statistic to its value on the
            source, a tensor. Those that are missing have their present value.

    References:
    - Schneider et al., "Improving robustness against common corruptions by
      covariate shift adaptation", NeurIPS 2020, Equation 3.
    """

    prior: float = 0.0
    momentum: float | None = None
    source: dict = dataclasses.field(default_factory=dict)

    def mixed(self, variables, values, batch_size):
        """Statistics of a batch, mixed with those of the source.

        Args:
            variables: Moving statistics of a layer.
            values: Statistics of the batch, float32 tensors.
            batch_size: int or scalar tensor. Images in the batch.

        Returns:
            list of tensors.
        """
        size = ops.cast(batch_size, "float32")
        share = self.prior / (self.prior + size)
        return [
            share * self.source.get(id(variable), variable)
            + (1 - share) * value
            for variable, value in zip(variables, values, strict=True)
        ]


_USUAL = Following()
_CURRENT = contextvars.ContextVar("following", default=None)


def current_following():
    """The `Following` of the innermost `follow`."""
    return _CURRENT.get() or _USUAL


@contextlib.contextmanager
def follow(following):
    """Within it, batch norms do as a `Following` says.

    Args:
        following: `Following`, or `None` to leave what is.
    """
    if following is None:
        yield
        return
    token = _CURRENT.set(following)
    try:
        yield
    finally:
        _CURRENT.reset(token)
