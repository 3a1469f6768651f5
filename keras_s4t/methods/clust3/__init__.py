"""ClusT3, and the mutual information that it maximizes."""

from keras_s4t.methods.clust3.clust3 import ClusT3

__all__ = ["ClusT3"]
