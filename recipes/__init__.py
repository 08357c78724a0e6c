"""Experiments: each module is a command, `python -m recipes.<name>`, imported by no other."""
