"""TFLite export and running a `.tflite` file."""
