"""What recipes share: tasks, networks and methods per source dataset."""
