"""S4T with a teacher and replayed source images."""
