"""Devices and machines of one training; tasks here or on Ray."""
