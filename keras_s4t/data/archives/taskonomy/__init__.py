"""Taskonomy, read from the folders of its download."""

from keras_s4t.data.archives.taskonomy.taskonomy_folder import TaskonomyFolder

__all__ = ["TaskonomyFolder"]
