"""System 1: SSCP-Mobile on the splits of DCASE 2024 Task 1 (SJTU-THU's report)."""
