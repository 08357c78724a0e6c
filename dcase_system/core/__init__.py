"""What every room stands on: errors, files, JSON, URLs, the command line."""
