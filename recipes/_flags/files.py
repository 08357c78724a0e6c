"""Files for devices."""

from absl import flags

from dcase_system.edge.names import FORMATS

flags.DEFINE_list(
    "tflite_formats", list(FORMATS), f"FORMAT: Formats to export: some of {', '.join(FORMATS)}."
)
flags.DEFINE_integer(
    "qat_epochs",
    None,
    "EPOCHS: Epochs of quantization-aware training for the int8 file.",
    1,
)
flags.register_validator(
    "tflite_formats",
    lambda given: given and set(given) <= set(FORMATS),
    message=f"expected some of {', '.join(FORMATS)}",
)
