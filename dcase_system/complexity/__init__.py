"""Counts parameters and multiply-accumulates, and applies each challenge edition's rules."""
