"""TFDS builders, one subpackage a dataset. They need tensorflow_datasets."""
