"""A Keras network's own graph: what belongs together, and how to build it anew."""
