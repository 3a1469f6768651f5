"""Steps that are written whether they are finite or not."""

from keras import ops

from keras_s4t.state import minimize


def install():
    """Takes the check out of every step of this process."""
    minimize.all_finite = lambda tensors: ops.convert_to_tensor(True)
    minimize.write_if = lambda condition, write, variables: write()
