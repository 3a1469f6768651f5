"""What `python -m keras_s4t.data` can do."""
