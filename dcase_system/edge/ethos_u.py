"""Estimates what a model needs on an Arm Ethos-U, with Arm's compiler (package ethos-u-vela)."""

import csv
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from dcase_system.core.errors import InputError
from dcase_system.core.files import replacing
from dcase_system.edge import flatbuffer

_FAMILIES = {"u55": (32, 64, 128, 256), "u65": (256, 512), "u85": (128, 256, 512, 1024, 2048)}
ACCELERATORS = tuple(f"ethos-{name}-{macs}" for name in _FAMILIES for macs in _FAMILIES[name])
# Systems of Arm's own vela.ini, which sets clock and memory speeds. Weights are in flash,
# activations in SRAM shared with the processor.
_SYSTEMS = {
    "u55": "Ethos_U55_High_End_Embedded",
    "u65": "Ethos_U65_Embedded",
    "u85": "Ethos_U85_SYS_Flash_High",
}
_MEMORY_MODE = "Shared_Sram"
_KIB = 1_024


@dataclass(frozen=True)
class EthosReport:
    """The compiler's report; the time is its estimate, not a measurement.

    Attributes:
        accelerator: One of `ACCELERATORS`; the number is its MACs per cycle.
        system: System in vela.ini.
        clock_hz: Clock rate of that system.
        file_bytes: Size of the compiled `.tflite` file.
        sram_bytes: Bytes of activations, and of weights copied to SRAM.
        flash_bytes: Bytes of weights and commands.
        cycles: Cycles per inference.
        milliseconds: Time per inference.
        npu_operators: Number of operators that the accelerator runs.
        cpu_operators: Number of operators that fall back to the processor, by name.
    """

    accelerator: str
    system: str
    clock_hz: float
    file_bytes: int
    sram_bytes: int
    flash_bytes: int
    cycles: int
    milliseconds: float
    npu_operators: int
    cpu_operators: dict[str, int]


def installed() -> bool:
    """Whether the compiler is installed."""
    return importlib.util.find_spec("ethosu") is not None


def compile_model(path: Path, accelerator: str, compiled: Path) -> EthosReport:
    """Compiles an int8 `.tflite` file for an accelerator.

    Args:
        path: The int8 file.
        accelerator: One of `ACCELERATORS`.
        compiled: Path of the compiled file.

    Raises:
        InputError: The accelerator is unknown, or the compiler is not installed or fails.
    """
    if accelerator not in ACCELERATORS:
        raise InputError(
            "unknown accelerator",
            where="accelerator",
            expected=" | ".join(ACCELERATORS),
            received=accelerator,
        )
    if not installed():
        raise InputError(
            "compiler is not installed",
            where=accelerator,
            expected="ethos-u-vela (pip install -r requirements-edge.txt)",
        )
    with tempfile.TemporaryDirectory() as folder:
        _compile(path, accelerator, folder)
        made = Path(folder)
        summary = next(made.glob("*_summary_*.csv"))
        with replacing(compiled) as temporary:
            shutil.copyfile(next(made.glob("*_vela.tflite")), temporary)
        return read_summary(summary, accelerator, path, compiled)


def _compile(path: Path, accelerator: str, folder: str) -> None:
    options = {
        "accelerator-config": accelerator,
        "config": "Arm/vela.ini",
        "system-config": _SYSTEMS[accelerator.split("-")[1]],
        "memory-mode": _MEMORY_MODE,
        "output-dir": folder,
    }
    # In a subprocess: Vela prints a lot, and exits on some errors.
    done = subprocess.run(
        [sys.executable, "-m", "ethosu.vela", str(path)]
        + [f"--{name}={value}" for name, value in options.items()],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise InputError(f"cannot be compiled for {accelerator} ({' '.join(last)})", where=path)


def read_summary(summary: Path, accelerator: str, path: Path, compiled: Path) -> EthosReport:
    """Reads the report from the compiler's summary and the file that it wrote."""
    with summary.open(encoding="utf-8", newline="") as stream:
        row = next(csv.DictReader(stream))
    model = flatbuffer.parse(compiled.read_bytes())
    # The compiler replaces what runs on the accelerator by one or more custom operators.
    left = Counter(flatbuffer.operators(model))
    left.pop("CUSTOM", None)
    total = sum(flatbuffer.operators(flatbuffer.parse(path.read_bytes())).values())
    return EthosReport(
        accelerator=accelerator,
        system=row["system_config"],
        clock_hz=float(row["core_clock"]),
        file_bytes=compiled.stat().st_size,
        sram_bytes=round(_KIB * float(row["sram_memory_used"])),
        flash_bytes=round(_KIB * float(row["off_chip_flash_memory_used"])),
        cycles=int(row["cycles_total"]),
        milliseconds=1_000 * float(row["inference_time"]),
        npu_operators=total - sum(left.values()),
        cpu_operators=dict(sorted(left.items())),
    )
