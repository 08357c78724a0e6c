"""Which clips exist: labels, devices, groups, splits. Knows file names, never samples."""
