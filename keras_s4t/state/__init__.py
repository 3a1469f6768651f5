"""Variables as values: pure calls, one optimizer step, snapshots."""
