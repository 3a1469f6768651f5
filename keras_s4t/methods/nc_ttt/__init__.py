"""NC-TTT, with its noise and the discriminator of it."""

from keras_s4t.methods.nc_ttt.nc_ttt import NCTTT

__all__ = ["NCTTT"]
