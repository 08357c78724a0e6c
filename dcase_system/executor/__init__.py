"""Independent work fanned out: tasks, each a command with a run directory, here or on a cluster."""
