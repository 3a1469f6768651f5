"""Worker processes and disk cache for rendering many examples."""
