"""The three papers: what their tables and figures print, and the command that makes ours."""
