"""Files for serving: TensorFlow SavedModel, LiteRT, ONNX."""

from keras_s4t.export.exportable import Exportable

__all__ = ["Exportable"]
