"""The ray caster: from a scene to radiance and labels, and to a picture."""
