"""A small decoder with a batch norm and deep supervision."""

import keras
from keras import layers

import keras_s4t


@keras.saving.register_keras_serializable("tests")
class TinyDecoder(keras_s4t.models.Decoder):
    """Reads the coarsest level; auxiliary predictions read it unnormalized."""

    def build(self, features_shape):
        self.level = max(features_shape)
        shape = features_shape[self.level]
        self.norm = layers.BatchNormalization(momentum=0.9)
        self.norm.build(shape)
        self.heads, self.auxiliary_heads = (
            {
                name: layers.Dense(filters)
                for name, filters in self.num_outputs.items()
            }
            for _ in range(2)
        )
        for heads in (self.heads, self.auxiliary_heads):
            for head in heads.values():
                head.build(shape)

    def call(self, features, size, training=False):
        x = self.norm(features[self.level], training=training)
        return self.predict_with(self.heads, x, size)

    def with_auxiliaries(self, features, size, training=False):
        outputs = self(features, size=size, training=training)
        x = features[self.level]
        return outputs, [self.predict_with(self.auxiliary_heads, x, size)]

    def predict_with(self, heads, x, size):
        return {
            name: keras_s4t.layers.resize_bilinear(head(x), size)
            for name, head in heads.items()
        }
