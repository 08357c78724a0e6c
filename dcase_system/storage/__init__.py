"""Where the trials of a search lie, for processes and machines that share them."""
