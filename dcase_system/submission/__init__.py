"""Submissions: output files, meta files, the package, and its validation."""
