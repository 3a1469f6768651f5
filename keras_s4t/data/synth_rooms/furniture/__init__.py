"""Pieces of furniture, made of boxes, capped cones and ellipsoids."""
