"""A camera that walks through rooms."""
