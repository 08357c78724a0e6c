"""Student training: at the final width, or wide first and then pruned."""
