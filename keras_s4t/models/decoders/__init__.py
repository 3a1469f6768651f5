"""How features become predictions."""

from keras_s4t.models.decoders.decoder import Decoder
from keras_s4t.models.decoders.mti_net.mti_net_decoder import MTINetDecoder
from keras_s4t.models.decoders.pyramid import PyramidDecoder

__all__ = ["Decoder", "MTINetDecoder", "PyramidDecoder"]
