"""Architecture specs (frozen dataclasses) and the functions that build Keras models from them."""
