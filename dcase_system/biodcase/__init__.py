"""BioDCASE-Tiny 2026, Task 3: small networks for bird sounds on an ESP32-S3."""
