"""Device classes, and which of them a model fits."""

from collections.abc import Sequence
from dataclasses import dataclass

_KIB, _MIB, _GIB = 2**10, 2**20, 2**30


@dataclass(frozen=True)
class DeviceClass:
    """A class of devices, described by a typical one.

    Attributes:
        name: Name of the class.
        example: Device with these memories.
        flash: Bytes of program memory; None if programs are on a card or disk.
        ram: Bytes of data memory on the chip, all banks together.
        source: Source of the figures.
        external_ram: Bytes of RAM beside the chip (PSRAM), 0 if there is none. It is not part of
            `ram`: it is read through a cache and the bus of the flash, and kernels are timed in
            internal RAM.
    """

    name: str
    example: str
    flash: int | None
    ram: int
    source: str
    external_ram: int = 0


_ZEPHYR = "Zephyr documentation, board"
DEVICE_CLASSES = (
    DeviceClass(
        "Cortex-M0+", "Microchip SAM D21G18A", 256 * _KIB, 32 * _KIB, f"{_ZEPHYR} arduino_zero"
    ),
    DeviceClass(
        "Cortex-M4", "Nordic nRF52840", _MIB, 256 * _KIB, f"{_ZEPHYR} adafruit_feather_nrf52840"
    ),
    DeviceClass(
        "ESP32-S3",
        "ESP32-S3-WROOM-1-N8",
        8 * _MIB,
        512 * _KIB,
        "Espressif datasheet of the ESP32-S3",
    ),
    DeviceClass(
        "ESP32-S3 + PSRAM",
        "ESP32-S3-Korvo-2 V3",
        16 * _MIB,
        512 * _KIB,
        "Espressif datasheet of the ESP32-S3; Espressif documentation of ESP-Brookesia, boards",
        8 * _MIB,
    ),
    DeviceClass("Cortex-M33", "Raspberry Pi Pico 2", 4 * _MIB, 520 * _KIB, f"{_ZEPHYR} rpi_pico2"),
    DeviceClass("Cortex-M7", "ST STM32H743", 2 * _MIB, _MIB, "ST datasheet DS12110"),
    DeviceClass(
        "Cortex-M55 + Ethos-U55",
        "Nuvoton M55M1",
        2 * _MIB,
        1_344 * _KIB,
        f"{_ZEPHYR} numaker_m55m1",
    ),
    # The STM32N657 has no flash of its own: programs are loaded from the board's. ST writes
    # "4.2 Mbytes" of contiguous SRAM.
    DeviceClass(
        "Cortex-M55 + Neural-ART",
        "ST STM32N6570-DK",
        128 * _MIB,
        4_200_000,
        "ST user manual of the STM32N6570-DK",
        32 * _MIB,
    ),
    # MRAM in place of flash. The largest bank of SRAM has 4 MiB.
    DeviceClass(
        "2 Cortex-M55 + Ethos-U55",
        "Alif Ensemble E7",
        5_632 * _KIB,
        13_824 * _KIB,
        "Alif Ensemble CMSIS pack, AE722F80F55D5XX.h",
    ),
    DeviceClass(
        "Raspberry Pi",
        "Raspberry Pi Zero 2 W",
        None,
        512 * _MIB,
        "Linux device tree bcm2837-rpi-zero-2-w",
    ),
    DeviceClass("phone", "Android 13 or later", None, 2 * _GIB, "Android 13 (Go edition)"),
)


@dataclass(frozen=True)
class Footprint:
    """Memory that a model needs, in bytes.

    The code around it (runtime, kernels, front end) is not counted.

    Attributes:
        flash: Size of the file and of the front end's tables.
        arena: Memory for activations and interpreter.
        front_end: Memory that features are computed in.
    """

    flash: int
    arena: int
    front_end: int

    @property
    def ram(self) -> int:
        return self.arena + self.front_end


def fitting(
    footprint: Footprint, classes: Sequence[DeviceClass] = DEVICE_CLASSES
) -> dict[str, str]:
    """Returns for each class `yes`, or how much of which memory is missing.

    RAM beside the chip does not make a model fit; the answer says if it has room.
    """
    verdicts = {}
    for device in classes:
        missing = [
            f"{memory} {_kib(needed - there)} KiB short"
            for memory, needed, there in (
                ("flash", footprint.flash, device.flash),
                ("RAM", footprint.ram, device.ram),
            )
            if there is not None and needed > there
        ]
        if device.ram < footprint.ram <= device.external_ram:
            missing.append("external RAM has room")
        verdicts[device.name] = ", ".join(missing) or "yes"
    return verdicts


def _kib(size: int) -> str:
    return f"{-(-size // _KIB):,}"
