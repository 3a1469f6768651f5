import keras
from keras import layers

from keras_s4t.methods.s4t.transformer_block import TransformerBlock


@keras.saving.register_keras_serializable("keras_s4t")
class Transformer(keras.layers.Layer):
    """A stack of `num_layers` transformer blocks and a layer normalization.

    The other arguments are those of `TransformerBlock`. Shapes are kept.
    """

    def __init__(self, num_layers, hidden_dim, num_heads, mlp_dim, **kwargs):
        super().__init__(**kwargs)
        # === Layers ===
        policy = self.dtype_policy
        self.blocks = [
            TransformerBlock(
                hidden_dim, num_heads, mlp_dim, dtype=policy, name=f"block_{i}"
            )
            for i in range(num_layers)
        ]
        self.norm = layers.LayerNormalization(
            epsilon=1e-6, dtype=policy, name="norm"
        )

        # === Config ===
        self.num_layers = num_layers
        self.hidden_dim = hidden_dim
        self.num_heads = num_heads
        self.mlp_dim = mlp_dim

    def build(self, input_shape):
        for layer in (*self.blocks, self.norm):
            layer.build(input_shape)
        self.built = True

    def call(self, inputs):
        x = inputs
        for block in self.blocks:
            x = block(x)
        return self.norm(x)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "num_layers": self.num_layers,
            "hidden_dim": self.hidden_dim,
            "num_heads": self.num_heads,
            "mlp_dim": self.mlp_dim,
        }
