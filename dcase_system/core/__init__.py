"""Shared foundations: errors, files, JSON, URLs, the command line."""
