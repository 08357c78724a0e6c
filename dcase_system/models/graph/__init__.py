"""A Keras network's own graph: which channels belong together, and how to rebuild it."""
