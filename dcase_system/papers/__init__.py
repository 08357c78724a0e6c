"""The three papers: the contents of their tables and figures, and our commands for them."""
