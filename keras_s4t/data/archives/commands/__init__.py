"""Commands of `python -m keras_s4t.data`."""
