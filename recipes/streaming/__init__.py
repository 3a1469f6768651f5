"""What the recipes of live streams share."""
