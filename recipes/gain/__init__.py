"""Is there a gain beyond batch norm? Machinery of `beyond_batch_norm.py`."""
