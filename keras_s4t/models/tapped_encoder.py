import fnmatch
import functools

import keras

from keras_s4t.models.encoder import with_norm_outputs
from keras_s4t.models.rematerialization import RematerializedModel

PYRAMID = ("P*",)


class TappedEncoder:
    """Runs the part of an encoder that some features need.

    Features are named by patterns: of levels (`"P2"`, `"P*"`), and of the
    outputs of batch norms in the encoder's order (`"norm_0"`, `"norm_*"`).

    Args:
        encoder: What `make_encoder` returned.
        remat: bool. Whether to compute activations again for the backward
            pass; see `RematerializedModel`.
    """

    def __init__(self, encoder, remat=False):
        self.encoder = encoder
        self.remat = remat
        self._parts = {}
        self._runners = {}

    def __call__(self, inputs, taps=PYRAMID, training=False):
        """Features that fit any of the patterns `taps`, a dict by name."""
        if taps not in self._runners:
            part = self.part(taps)
            self._runners[taps] = (
                RematerializedModel(part) if self.remat else part
            )
        return self._runners[taps](inputs, training=training)

    def part(self, taps=PYRAMID):
        """The part of the encoder that some features need.

        Args:
            taps: Tuple of patterns.

        Returns:
            A functional `keras.Model` from images to a dict of features. It
            shares all layers with the encoder.

        Raises:
            ValueError: If a pattern fits nothing.
        """
        if taps not in self._parts:
            self._parts[taps] = self._make_part(taps)
        return self._parts[taps]

    @property
    def norms(self):
        """Batch norms whose outputs are features, a list, one for each call."""
        return self._with_norms[1]

    @functools.cached_property
    def _with_norms(self):
        return with_norm_outputs(self.encoder)

    def _make_part(self, taps):
        graph, norms = self.encoder, []
        if not all(tap.startswith("P") for tap in taps):
            graph, _, norms = self._with_norms
        features = dict(graph.output)
        features |= {f"norm_{i}": x for i, x in enumerate(norms)}
        names = set()
        for tap in taps:
            found = fnmatch.filter(features, tap)
            if not found:
                raise ValueError(
                    f"Features must be patterns of {list(self.encoder.output)} "
                    f"and of 'norm_0' ... 'norm_{len(self.norms) - 1}'. "
                    f"Received: {tap!r}"
                )
            names |= set(found)
        if names == set(self.encoder.output):
            return self.encoder
        return keras.Model(
            graph.input,
            {name: x for name, x in features.items() if name in names},
            name="tapped_encoder",
        )

    def shapes(self, taps=PYRAMID, image_size=None):
        """Shapes of features, for images of unknown or given `(height, width)`.

        A dict from name to `(batch_size, height, width, channels)`, `None`
        where unknown.
        """
        part = self.part(taps)
        if image_size is None:
            return {name: tuple(x.shape) for name, x in part.output.items()}
        shapes = part.compute_output_shape(
            (None, *image_size, self.encoder.input.shape[-1])
        )
        return {name: tuple(shape) for name, shape in shapes.items()}
