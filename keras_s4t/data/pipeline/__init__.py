"""From canonical examples to batches, with TensorFlow."""
