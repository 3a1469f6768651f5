"""Furniture, composed of boxes, capped cones and ellipsoids."""
