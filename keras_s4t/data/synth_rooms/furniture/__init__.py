"""Furniture, composed of boxes, capped cones and ellipsoids.

Every piece is added to the current instance of a `Room`. Lengths are in meters.
"""
