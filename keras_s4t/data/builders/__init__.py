"""TFDS builders, one subpackage per dataset.

They require tensorflow_datasets.
"""
