"""The three ways to a small network, on one corpus: prune it, cut it out of a supernet, search."""
