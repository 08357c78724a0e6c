"""System 1: SSCP-Mobile on the splits."""
