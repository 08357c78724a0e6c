"""Experiments: each module is a command, `python -m recipes.<name>`; no other code imports it."""
