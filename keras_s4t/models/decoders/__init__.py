"""How features become predictions."""
