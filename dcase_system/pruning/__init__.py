"""Structured channel pruning of functional Keras networks: groups, importance, masks, slimming."""
