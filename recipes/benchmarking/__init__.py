"""Machinery of the programs that measure time and memory."""
