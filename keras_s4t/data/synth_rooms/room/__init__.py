"""Generation of rooms: shell, fixtures, furniture, objects and lights."""
