"""What people look at: summaries of runs."""
