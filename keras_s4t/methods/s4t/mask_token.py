import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_s4t")
class MaskToken(keras.layers.Layer):
    """Restores the order of visible tokens and fills in a mask token.

    Call arguments:
        tokens: Visible tokens of shape
            `(batch_size, num_visible, hidden_dim)`.
        restore: Integer tensor of shape `(batch_size, num_tokens)`, the index
            of the token at every position. Indices of hidden tokens start at
            `num_visible`.

    Returns:
        Tokens of shape `(batch_size, num_tokens, hidden_dim)`.
    """

    def build(self, input_shape):
        self.token = self.add_weight(
            name="token",
            shape=(1, 1, input_shape[-1]),
            initializer=keras.initializers.RandomNormal(stddev=0.02),
        )
        self.built = True

    def call(self, tokens, restore):
        batch_size, num_visible, hidden_dim = ops.shape(tokens)
        num_hidden = restore.shape[1] - num_visible
        hidden = ops.broadcast_to(
            ops.cast(self.token, tokens.dtype),
            (batch_size, num_hidden, hidden_dim),
        )
        tokens = ops.concatenate([tokens, hidden], axis=1)
        return ops.take_along_axis(tokens, restore[:, :, None], axis=1)
