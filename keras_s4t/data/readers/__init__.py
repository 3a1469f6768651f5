"""What the loader reads, whatever domain it is."""
