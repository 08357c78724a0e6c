"""The student: trained at its final width, or wide first and then pruned."""
