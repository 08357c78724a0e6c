"""Random search over depthwise CNNs under a size limit (Wu & Lee, DCASE 2020 Task 1B)."""
