"""Machinery of `adapt_video.py`: frames in, pictures and files out."""
