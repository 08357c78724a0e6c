"""The models of milliseconds against published times."""

import pytest

from dcase_system.edge import cycles, devices, flatbuffer, tflite
from dcase_system.edge.calls import calls
from dcase_system.edge.cycles import MEASURED, PROCESSORS, Work

CLASSIFICATION, KEYWORDS, PEOPLE = MEASURED.values()
BY_CLASS = {one.device_class: one for one in PROCESSORS}
# Work of networks that ST and Plumerai have published times of: Keras Applications' MobileNets, and
# the first six layers of YAMNet.
MOBILENET_V1_96, MOBILENET_V1_224 = Work(7_490_432, 231_557), Work(40_775_552, 1_260_677)
MOBILENET_V2_80 = Work(8_970_112, 373_560)
MOBILENET_V2_128, MOBILENET_V2_224 = Work(18_947_072, 934_789), Work(58_012_208, 2_862_781)
YAMNET_256 = Work(23_902_720, 454_666)
# Processor, clock in MHz, network, published milliseconds, percent by which the model is off: the
# table of the README, which names the boards, kernels and sources.
OTHERS = [
    ("Cortex-M4", 200, CLASSIFICATION, 1e3 / 5.833, 36),
    ("Cortex-M4", 200, KEYWORDS, 1e3 / 21.652, 32),
    ("Cortex-M4", 200, PEOPLE, 1e3 / 10.129, 80),
    ("Cortex-M4", 150, CLASSIFICATION, 193.1, 61),
    ("Cortex-M4", 150, KEYWORDS, 61.4, 32),
    ("Cortex-M4", 150, PEOPLE, 192.5, 23),
    ("Cortex-M4", 120, CLASSIFICATION, 1e3 / 1.420, -45),
    ("Cortex-M4", 120, KEYWORDS, 1e3 / 5.497, -44),
    ("Cortex-M4", 120, PEOPLE, 1e3 / 1.665, -51),
    ("Cortex-M33", 160, CLASSIFICATION, 107.1, 137),
    ("Cortex-M33", 160, KEYWORDS, 35.4, 78),
    ("Cortex-M33", 160, PEOPLE, 107.0, 70),
    ("Cortex-M33", 160, YAMNET_256, 281.95, 89),
    ("Cortex-M7", 400, MOBILENET_V1_96, 29.94, 16),
    ("Cortex-M7", 400, MOBILENET_V1_224, 163.78, 15),
    ("Cortex-M7", 400, MOBILENET_V2_128, 101.11, 9),
    ("Cortex-M7", 400, MOBILENET_V2_224, 363.82, -7),
    ("Cortex-M7", 216, MOBILENET_V2_80, 103.0, -14),
    ("Cortex-M7", 216, MOBILENET_V2_80, 129.0, -31),
]


@pytest.mark.parametrize("processor", PROCESSORS, ids=lambda one: one.device_class)
def test_a_fit_reproduces_its_board(processor):
    assert all(cost > 0 for cost in processor.costs())
    for work, per_second in zip(MEASURED.values(), processor.per_second, strict=True):
        modelled = processor.milliseconds(work, processor.board_hz)
        assert modelled == pytest.approx(1e3 / per_second, rel=0.03)


@pytest.mark.parametrize(("device_class", "mhz", "work", "published", "percent"), OTHERS)
def test_the_error_on_other_boards_is_that_of_the_readme(
    device_class, mhz, work, published, percent
):
    modelled = BY_CLASS[device_class].milliseconds(work, mhz * 1_000_000)
    assert round(100 * (modelled / published - 1)) == percent


def test_time_is_proportional_to_the_clock():
    one = PROCESSORS[0]
    assert one.milliseconds(KEYWORDS, one.clock_hz) == one.milliseconds(KEYWORDS)
    slower = one.milliseconds(KEYWORDS, one.clock_hz // 2)
    assert slower == pytest.approx(2 * one.milliseconds(KEYWORDS))


def test_work_is_counted_by_hand():
    found = [
        cycles.Call("CONV_2D", [(1, 8, 6, 2), (4, 3, 3, 2), (4,)], (1, 4, 3, 4)),
        cycles.Call("DEPTHWISE_CONV_2D", [(1, 4, 3, 4), (1, 3, 3, 4), (4,)], (1, 4, 3, 4)),
        cycles.Call("ADD", [(1, 4, 3, 4), (1, 4, 3, 4)], (1, 4, 3, 4)),
        cycles.Call("CONV_2D", [(1, 4, 3, 4), (8, 1, 1, 4), (8,)], (1, 4, 3, 8)),
        cycles.Call("FULLY_CONNECTED", [(1, 96), (5, 96), (5,)], (1, 5)),
    ]
    assert cycles.work_of(found) == Work(48 * 18 + 48 * 9 + 96 * 4 + 480, 48 + 48 + 96 + 5)
    ticks = 3.4 * 48 * 18 + 5.2 * 48 * 9 + 44 * 48 + 96 * (33 + 0.615 * 4) + 5.6 * 480
    assert cycles.esp32_s3_milliseconds(found) == pytest.approx(1e3 * ticks / 240e6)


def test_every_modelled_processor_is_a_device_class(exported):
    content = (exported / tflite.file_name("int8")).read_bytes()
    times = cycles.modelled_times(content)
    names = {one.name for one in devices.DEVICE_CLASSES}
    assert {one.device_class for one in times} == {*BY_CLASS, "ESP32-S3"} <= names
    work = cycles.work_of(calls(flatbuffer.parse(content)))
    for one in times[:-1]:
        assert one.milliseconds == BY_CLASS[one.device_class].milliseconds(work) > 0
