"""The training loop shared by all systems: schedules, seeds, resuming, metrics."""
