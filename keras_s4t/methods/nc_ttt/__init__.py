"""NC-TTT, its noise and its noise discriminator."""

from keras_s4t.methods.nc_ttt.nc_ttt import NCTTT

__all__ = ["NCTTT"]
