"""Rendering many examples: worker processes and the cache on disk."""
