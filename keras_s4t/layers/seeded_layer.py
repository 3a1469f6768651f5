import keras


class SeededLayer(keras.layers.Layer):
    """A layer without weights that draws random numbers.

    Keras does not save the states of random generators. This layer saves its
    state, so that a resumed run draws the same numbers.

    Args:
        seed: Optional int. Seed of the random draws.
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
