"""What several programs need: tables, protocols, corrupted images."""
