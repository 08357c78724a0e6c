"""Clips and their labels, devices, groups and splits. Handles file names, never samples."""
