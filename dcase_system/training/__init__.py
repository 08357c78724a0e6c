"""One fit for all systems: schedule, seeds, resuming, metrics."""
