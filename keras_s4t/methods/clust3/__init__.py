"""ClusT3 and its mutual information loss."""

from keras_s4t.methods.clust3.clust3 import ClusT3

__all__ = ["ClusT3"]
