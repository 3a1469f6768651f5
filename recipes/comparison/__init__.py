"""Machinery of `compare_methods.py` and `draw_figures.py`."""
