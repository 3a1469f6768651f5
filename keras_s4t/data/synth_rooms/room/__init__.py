"""The grammar of rooms: shell, fixtures, furniture, objects and lights."""
