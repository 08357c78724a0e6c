"""What is handed in: output files, meta information, the package, and its validation."""
