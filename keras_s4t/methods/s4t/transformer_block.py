import keras
from keras import layers
from keras import ops


@keras.saving.register_keras_serializable("keras_s4t")
class TransformerBlock(keras.layers.Layer):
    """Pre-norm self-attention and MLP, as in the Vision Transformer.

    `x += proj(attention(norm(x)))`, then `x += mlp(norm(x))`, with one
    projection for queries, keys and values, the exact GELU, and neither
    dropout nor layer scale.

    Args:
        hidden_dim: int. Token size.
        num_heads: int. Attention heads; divides `hidden_dim`.
        mlp_dim: int. Hidden size of the MLP.

    Call arguments:
        inputs: Tokens of shape `(batch_size, num_tokens, hidden_dim)`.

    Returns:
        Tokens of the same shape.

    Raises:
        ValueError: If `num_heads` does not divide `hidden_dim`.
    """

    def __init__(self, hidden_dim, num_heads, mlp_dim, **kwargs):
        super().__init__(**kwargs)
        if hidden_dim % num_heads:
            raise ValueError(
                "`num_heads` must divide `hidden_dim`. "
                f"Received: hidden_dim={hidden_dim}, num_heads={num_heads}"
            )
        # === Layers ===
        policy = self.dtype_policy
        self.attention_norm = layers.LayerNormalization(
            epsilon=1e-6, dtype=policy, name="attention_norm"
        )
        self.query_key_value = layers.Dense(
            3 * hidden_dim, dtype=policy, name="query_key_value"
        )
        self.projection = layers.Dense(
            hidden_dim, dtype=policy, name="projection"
        )
        self.mlp_norm = layers.LayerNormalization(
            epsilon=1e-6, dtype=policy, name="mlp_norm"
        )
        self.mlp_expand = layers.Dense(mlp_dim, dtype=policy, name="mlp_expand")
        self.mlp_reduce = layers.Dense(
            hidden_dim, dtype=policy, name="mlp_reduce"
        )

        # === Config ===
        self.hidden_dim = hidden_dim
        self.num_heads = num_heads
        self.mlp_dim = mlp_dim

    def build(self, input_shape):
        self.attention_norm.build(input_shape)
        self.query_key_value.build(input_shape)
        self.projection.build(input_shape)
        self.mlp_norm.build(input_shape)
        self.mlp_expand.build(input_shape)
        self.mlp_reduce.build((*input_shape[:-1], self.mlp_dim))
        self.built = True

    def call(self, inputs):
        x = inputs + self._attend(self.attention_norm(inputs))
        hidden = self.mlp_expand(self.mlp_norm(x))
        hidden = ops.gelu(hidden, approximate=False)
        return x + self.mlp_reduce(hidden)

    def _attend(self, x):
        num_tokens = ops.shape(x)[1]
        heads = self.num_heads
        head_dim = self.hidden_dim // heads
        x = self.query_key_value(x)
        x = ops.reshape(x, (-1, num_tokens, 3, heads, head_dim))
        query, key, value = (x[:, :, i] for i in range(3))
        x = ops.nn.dot_product_attention(query, key, value)
        return self.projection(
            ops.reshape(x, (-1, num_tokens, self.hidden_dim))
        )

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "hidden_dim": self.hidden_dim,
            "num_heads": self.num_heads,
            "mlp_dim": self.mlp_dim,
        }
