"""Recordings of one's own: found in folders, cut into windows, split without leaks."""
