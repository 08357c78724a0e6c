"""Trials shared between processes."""
