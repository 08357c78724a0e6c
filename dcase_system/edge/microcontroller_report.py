"""Prepares an exported file for microcontrollers: a C header, and the devices it fits."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from textwrap import wrap

from dcase_system.core.errors import InputError
from dcase_system.core.files import write_json, write_text
from dcase_system.edge import ethos_u, flatbuffer
from dcase_system.edge.arena import Arena, arena, with_plan
from dcase_system.edge.c_header import c_header
from dcase_system.edge.card import Card, read_card
from dcase_system.edge.cycles import ModelledTime, modelled_times
from dcase_system.edge.device.front_end import front_end_of
from dcase_system.edge.device.tables import FrontEndMemory
from dcase_system.edge.device.tables import memory as front_end_memory
from dcase_system.edge.devices import DEVICE_CLASSES, Footprint, fitting
from dcase_system.edge.ethos_u import EthosReport
from dcase_system.models.signature import ModelSignature

REPORT = "microcontroller.json"
_SAMPLE_BYTES = 2
_COLUMNS = 80  # of a terminal


@dataclass(frozen=True)
class Report:
    """Resources that a model needs.

    Attributes:
        file: Name of the file.
        arena: Memory of the model.
        front_end: Memory of the front end in C; None if it cannot compute the features.
        no_front_end: Why it cannot; None if it can.
        footprint: Memory needed on a device without accelerator.
        fits: `yes` or the missing memory, by device class.
        accelerators: Reports for the requested accelerators.
        operator_versions: Largest version of each operator.
        least_tensorflow_lite: Oldest TensorFlow Lite with these; None if the file does not say.
        calibration_clips: Clips that set the ranges of activations; None if the file does not say.
        modelled_times: Times of the network without front end, modelled and not measured.
    """

    file: str
    arena: Arena
    front_end: FrontEndMemory | None
    no_front_end: str | None
    footprint: Footprint
    fits: dict[str, str]
    accelerators: tuple[EthosReport, ...]
    operator_versions: dict[str, int]
    least_tensorflow_lite: str | None
    calibration_clips: int | None
    modelled_times: tuple[ModelledTime, ...]


def checked_card(path: Path) -> Card:
    """Reads the card of a file that a microcontroller can run.

    Raises:
        InputError: This package did not write the file, or it is not int8 or takes the waveform.
    """
    card = read_card(path)
    if card.takes != "features":
        # TFLite Micro has no RFFT2D, and the front end is in float32.
        raise InputError(
            "front end inside the file cannot run on a microcontroller",
            where=path,
            expected="a file that takes features; --project writes the front end in C",
        )
    if card.format != "int8":
        # CMSIS-NN and Ethos-U have integer kernels; float activations take four times the memory.
        raise InputError(
            "microcontrollers compute in int8", where=path, expected="int8", received=card.format
        )
    return card


def report(path: Path, folder: Path | None, accelerators: Sequence[str] = ()) -> Report:
    """Writes a file's header, its compiled variants with theirs, and the report.

    Args:
        path: An int8 `.tflite` file that takes features.
        folder: Output folder; None to write nothing, for which there can be no accelerators.
        accelerators: Some of `ethos_u.ACCELERATORS`.

    Raises:
        InputError: The file is unsuitable or an accelerator is unknown.
    """
    card, content = checked_card(path), with_plan(path.read_bytes())
    signature, model, memory = card.signature, flatbuffer.parse(content), arena(content)
    footprint, front_end, no_front_end = _footprint(content, signature, memory)
    result = Report(
        path.name,
        memory,
        front_end,
        no_front_end,
        footprint,
        fitting(footprint),
        (),
        flatbuffer.operator_versions(model),
        flatbuffer.least_runtime(model),
        card.calibration_clips,
        modelled_times(content),
    )
    if folder is None:
        return result
    write_text(folder / f"{path.stem}.h", c_header(path.stem, content, signature, memory.bytes))
    compiled = []
    for accelerator in accelerators:
        target = folder / f"{path.stem}_{accelerator}.tflite"
        found = ethos_u.compile_model(path, accelerator, target)
        content = target.read_bytes()
        needed = found.sram_bytes + arena(content).interpreter
        write_text(target.with_suffix(".h"), c_header(target.stem, content, signature, needed))
        compiled.append(found)
    result = replace(result, accelerators=tuple(compiled))
    classes = [asdict(one) for one in DEVICE_CLASSES]
    write_json(folder / REPORT, {**asdict(result), "device_classes": classes})
    return result


def _footprint(
    content: bytes, signature: ModelSignature, memory: Arena
) -> tuple[Footprint, FrontEndMemory | None, str | None]:
    """Returns the footprint, the front end's memory, and why there is no front end in C.

    Without one, the features are computed from the whole clip.
    """
    try:
        front_end = front_end_memory(front_end_of(signature))
    except InputError as error:
        clip = signature.samples * signature.channels * _SAMPLE_BYTES
        return Footprint(len(content), memory.bytes, clip), None, str(error)
    footprint = Footprint(len(content) + front_end.tables, memory.bytes, front_end.ram)
    return footprint, front_end, None


def as_text(result: Report) -> str:
    """Formats memory, devices and accelerators as tables."""
    footprint = result.footprint
    if result.front_end is None:
        front_end = f"clip {footprint.front_end:,} ({result.no_front_end})"
    else:
        state, features = result.front_end.state, result.front_end.features
        front_end = f"front end {footprint.front_end:,} (state {state:,}, features {features:,})"
    lines = [
        f"{result.file}: flash {footprint.flash:,} bytes; RAM {footprint.ram:,} bytes: "
        f"arena {footprint.arena:,} ({result.arena.tensors:,} of tensors), {front_end}",
        *_described(result),
        "",
        f"{'class':<25}{'such as':<22}{'flash KiB':>9}{'RAM KiB':>10}{'external':>9}  fits",
    ]
    for device in DEVICE_CLASSES:
        flash = "card" if device.flash is None else f"{device.flash // 1_024:,}"
        external = f"{device.external_ram // 1_024:,}" if device.external_ram else ""
        memory = f"{flash:>9}{device.ram // 1_024:>10,}{external:>9}"
        lines.append(f"{device.name:<25}{device.example:<22}{memory}  {result.fits[device.name]}")
    lines += ["", *_modelled(result.modelled_times)]
    if result.accelerators:
        columns = f"{'SRAM KiB':>10}{'flash KiB':>11}{'cycles':>12}{'ms':>8}  operators"
        lines += ["", f"{'accelerator':<16}{'MHz':>5}{columns}"]
    for one in result.accelerators:
        cpu = ", ".join(f"{count} {name}" for name, count in one.cpu_operators.items())
        operators = f"{one.npu_operators} accelerated, on the processor: {cpu or 'none'}"
        memory = f"{one.sram_bytes / 1_024:>10,.1f}{one.flash_bytes / 1_024:>11,.1f}"
        time = f"{one.cycles:>12,}{one.milliseconds:>8.2f}"
        lines.append(f"{one.accelerator:<16}{one.clock_hz / 1e6:>5.0f}{memory}{time}  {operators}")
    return "\n".join(lines)


def _described(result: Report) -> list[str]:
    """Describes the operators, the runtime and the calibration."""
    versions = ", ".join(f"{name} {version}" for name, version in result.operator_versions.items())
    clips = result.calibration_clips
    return [
        *wrap(f"operator versions: {versions}", _COLUMNS),
        f"TensorFlow Lite from {result.least_tensorflow_lite or '(unknown)'}; "
        f"int8 ranges from {'(unknown)' if clips is None else clips} clips",
    ]


def _modelled(times: Sequence[ModelledTime]) -> list[str]:
    """Formats modelled times, and how far off they may be."""
    return [
        "modelled milliseconds of the network, without the front end:",
        *(
            f"{one.device_class:<25}{f'{one.clock_hz / 1e6:.0f} MHz, {one.kernels}':<22}"
            f"{one.milliseconds:>9,.0f}"
            for one in times
        ),
        "from published times of other networks; may be off by a factor of two and more",
    ]
