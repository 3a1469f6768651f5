"""Ray caster that renders radiance, labels and pictures of scenes."""
