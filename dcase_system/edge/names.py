"""The formats of exported files; nothing that has to be imported with TensorFlow."""

FORMATS = ("float32", "float16", "dynamic", "int8")
