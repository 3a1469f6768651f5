"""Pure calls, optimizer steps and snapshots of variables."""
