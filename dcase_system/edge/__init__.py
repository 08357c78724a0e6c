"""Exports networks to TFLite and runs `.tflite` files."""
