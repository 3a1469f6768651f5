import keras


class SeededLayer(keras.layers.Layer):
    """Base class of layers that draw random numbers and have no weights.

    Keras does not save the state of a `SeedGenerator`. This layer does, so
    that a loaded model continues the same random sequence.

    Args:
        seed: Optional int, seed of the random draws.
    """

    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True

    def save_own_variables(self, store):
        state = self.seed_generator.state
        store["seed_state"] = keras.ops.convert_to_numpy(state)

    def load_own_variables(self, store):
        self.seed_generator.state.assign(store["seed_state"])

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}
