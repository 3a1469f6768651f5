"""Loading of checkpoints from the S4T authors' release."""

from keras_s4t.models.release.checkpoint import load_release_checkpoint

__all__ = ["load_release_checkpoint"]
