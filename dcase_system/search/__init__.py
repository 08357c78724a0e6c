"""Trials that processes share."""
