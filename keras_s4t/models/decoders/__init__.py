"""How features become predictions."""

from keras_s4t.models.decoders.decoder import Decoder
from keras_s4t.models.decoders.pyramid import PyramidDecoder

