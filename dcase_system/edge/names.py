"""Names of export formats; importing them does not load TensorFlow."""

FORMATS = ("float32", "float16", "dynamic", "int8")
