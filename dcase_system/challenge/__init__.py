"""System 1: SSCP-Mobile on the challenge's splits."""
