"""Challenge systems: all flags of the split recipes and of the package recipe."""

from absl import flags

from recipes._flags import (
    augmentation,
    clips,
    device_networks,
    devices,
    distillation,
    files,
    output,
    package,
    pruning,
    students,
    teachers,
    training,
)

for group in (
    *(clips, output, package, students, training, devices, augmentation),
    *(distillation, teachers, pruning, device_networks, files),
):
    flags.adopt_module_key_flags(group)
flags.register_multi_flags_validator(
    ["distill", "teachers"],
    lambda given: given["distill"] or not given["teachers"],
    message="--nodistill learns from no teachers: expected no --teachers",
)
flags.register_multi_flags_validator(
    ["teaching", "folds"],
    lambda given: given["teaching"] == "stored" or given["folds"] == 1,
    message="teachers by folds answer for the clips they left out alone: expected "
    "--teaching=stored, or no --folds",
)
flags.register_multi_flags_validator(
    ["qat_epochs", "tflite_formats"],
    lambda given: not given["qat_epochs"] or "int8" in given["tflite_formats"],
    message="--qat_epochs trains int8 files: expected int8 in --tflite_formats",
)
