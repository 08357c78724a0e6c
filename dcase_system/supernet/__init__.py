"""The once-for-all supernet: one training, then a network for each budget (Lin et al.)."""
