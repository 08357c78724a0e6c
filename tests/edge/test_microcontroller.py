import json
import re
import shutil
import subprocess
from dataclasses import replace

import pytest

from dcase_system.audio.specs import YamnetMelSpec
from dcase_system.core.errors import InputError
from dcase_system.edge import devices, ethos_u, flatbuffer, microcontroller_report
from dcase_system.edge.arena import with_plan
from dcase_system.edge.c_header import c_header, c_string
from dcase_system.edge.card import Card, write_model
from dcase_system.edge.devices import DeviceClass, Footprint
from dcase_system.models.signature import Normalisation

LABELS = ('quote"', "back\\slash", "what??=", "été\n1", "%d", "")
PROGRAM = """
#include <stdio.h>
#include <stdint.h>
#include "model.h"
int main(void) {
    unsigned int at, sum = 0;
    for (at = 0; at < m_1_x_length; ++at) sum = 31u * sum + m_1_x[at];
    printf("%u %u %d %d\\n", m_1_x_length, sum, (int)((uintptr_t)m_1_x % 16), M_1_X_ARENA_BYTES);
    printf("%.9g %d %d\\n", M_1_X_INPUT_SCALE, M_1_X_INPUT_ZERO_POINT, M_1_X_INPUT_SIZE);
    printf("%d %.9g %s %s\\n", M_1_X_FRONT_END_HOP_LENGTH, M_1_X_FRONT_END_MAX_HZ,
           M_1_X_FRONT_END_KIND, M_1_X_ACTIVATION);
    printf("%.9g %.9g\\n", m_1_x_mean[1], m_1_x_scale[2]);
    for (at = 0; at < M_1_X_CLASSES; ++at) printf("%s|", m_1_x_labels[at]);
    return 0;
}
"""


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
@pytest.mark.parametrize(("compiler", "suffix"), [("gcc", "c"), ("g++", "cpp")])
def test_header_compiles_and_says_what_the_file_is(exported, signature, tmp_path, compiler, suffix):
    content = (exported / "student_int8.tflite").read_bytes()
    card = json.loads((exported / "student_int8.json").read_text())
    odd = replace(
        signature,
        labels=LABELS,
        normalisation=Normalisation(((-0.25,), (1e-7,)), ((1.0,), (2.0,), (0.1,))),
    )
    (tmp_path / "model.h").write_text(c_header("m-1.x", content, odd, 4_096), encoding="utf-8")
    source = tmp_path / f"main.{suffix}"
    source.write_text(PROGRAM)
    strict = ["-Wall", "-Wextra", "-pedantic", "-Werror"]
    subprocess.run([compiler, *strict, str(source), "-o", str(tmp_path / "main")], check=True)
    done = subprocess.run([tmp_path / "main"], capture_output=True, check=True)
    file, taken, front_end, scaling, labels = done.stdout.decode().split("\n", maxsplit=4)
    total = 0
    for byte in content:
        total = (31 * total + byte) % 2**32
    assert file == f"{len(content)} {total} 0 4096"
    scale, zero_point, size = taken.split()
    assert float(scale) == pytest.approx(card["input"]["scale"], rel=1e-7)
    assert (int(zero_point), int(size)) == (card["input"]["zero_point"], 32 * 41)
    assert front_end == "200 4000 log_mel softmax"
    assert [float(value) for value in scaling.split()] == pytest.approx([1e-7, 0.1])
    assert labels == "".join(f"{label}|" for label in LABELS)


def test_strings_are_plain_ascii():
    assert c_string("park 1") == '"park 1"'
    assert c_string('a"b\\c') == r'"a\042b\134c"'
    assert c_string("é1??/") == r'"\303\2511\077\077/"'


def test_report_holds_memory_devices_and_header(exported, tmp_path):
    path = exported / "student_int8.tflite"
    report = microcontroller_report.report(path, tmp_path)
    front_end = report.front_end
    assert report.footprint.flash == len(with_plan(path.read_bytes())) + front_end.tables
    # 512 points of the FFT, the window's 512 samples, three counters; 32 bands of 41 columns
    assert front_end.ram == 4 * 512 + 2 * 512 + 3 * 4 + 32 * 41
    assert report.footprint.ram == report.arena.bytes + front_end.ram
    written = json.loads((tmp_path / "microcontroller.json").read_text())
    assert written["fits"] == report.fits and written["accelerators"] == []
    assert all(one["source"] for one in written["device_classes"])
    assert "#define STUDENT_INT8_SAMPLES 8000" in (tmp_path / "student_int8.h").read_text()
    assert written["least_tensorflow_lite"] == "1.14.0" and written["calibration_clips"] == 40
    text = microcontroller_report.as_text(report)
    versions = "operator versions: ADD 2, CONV_2D 3, DEPTHWISE_CONV_2D 3, MEAN 2, PAD 2"
    assert f"{versions}\nTensorFlow Lite from 1.14.0; int8 ranges from 40 clips" in text
    assert all(one.example in text for one in devices.DEVICE_CLASSES)
    assert {one["device_class"] for one in written["modelled_times"]} <= report.fits.keys()
    assert (
        re.search(r"\nCortex-M4 +64 MHz, CMSIS-NN +\d+\n", text)
        and "\nmodelled milliseconds" in text
    )
    wide = [line for line in text.splitlines() if len(line) > 80]
    assert all("RAM" in line for line in wide)


def test_without_a_front_end_in_c_the_whole_clip_counts(exported, signature, tmp_path):
    other = replace(signature, front_end=YamnetMelSpec(), samples=32_000)
    path, content = tmp_path / "m.tflite", (exported / "student_int8.tflite").read_bytes()
    write_model(path, content, Card("int8", "features", other))
    report = microcontroller_report.report(path, None)
    assert report.front_end is None and report.footprint.front_end == 2 * 32_000
    assert report.footprint.flash == len(with_plan(path.read_bytes()))
    text = microcontroller_report.as_text(report)
    assert "clip 64,000 (front end: no such" in text
    assert "int8 ranges from (unknown) clips" in text  # this card does not say


def test_only_int8_files_that_take_features_are_for_microcontrollers(exported):
    with pytest.raises(InputError, match="compute in int8; expected int8; received float32"):
        microcontroller_report.checked_card(exported / "student_float32.tflite")
    with pytest.raises(InputError, match="front end inside the file cannot run"):
        microcontroller_report.checked_card(exported / "student_int8_waveform.tflite")


def test_what_is_missing_is_said_by_hand():
    classes = (
        DeviceClass("small", "", 100 * 1_024, 32 * 1_024, ""),
        DeviceClass("just", "", 200 * 1_024, 64 * 1_024, ""),
        DeviceClass("card", "", None, 64 * 1_024, ""),
        DeviceClass("beside", "", None, 32 * 1_024, "", external_ram=64 * 1_024),
        DeviceClass("little beside", "", None, 32 * 1_024, "", external_ram=60 * 1_024),
    )
    footprint = Footprint(flash=200 * 1_024, arena=50 * 1_024 + 1, front_end=10 * 1_024)
    assert devices.fitting(footprint, classes) == {
        "small": "flash 100 KiB short, RAM 29 KiB short",
        "just": "yes",
        "card": "yes",
        "beside": "RAM 29 KiB short, external RAM has room",
        "little beside": "RAM 29 KiB short",
    }


def test_each_class_has_its_own_name_and_a_place_in_the_table():
    names = [one.name for one in devices.DEVICE_CLASSES]
    assert len(set(names)) == len(names)
    assert all(len(one.name) < 26 and len(one.example) < 24 for one in devices.DEVICE_CLASSES)
    assert all(one.source for one in devices.DEVICE_CLASSES)


def test_operators_left_in_a_compiled_file_are_those_of_the_processor(exported, tmp_path):
    """A file compiled without effect: nothing has become the accelerator's."""
    summary = tmp_path / "summary.csv"
    summary.write_text(
        "system_config,core_clock,inference_time,sram_memory_used,off_chip_flash_memory_used,"
        "cycles_total\nEthos_U55_High_End_Embedded,500000000.0,0.003084364,290.015625,86.46875,"
        "1542182\n"
    )
    path = exported / "student_int8.tflite"
    report = ethos_u.read_summary(summary, "ethos-u55-128", path, path)
    assert (report.sram_bytes, report.flash_bytes, report.cycles) == (296_976, 88_544, 1_542_182)
    assert report.milliseconds == pytest.approx(3.084364)
    assert report.npu_operators == 0
    assert report.cpu_operators == json.loads(path.with_suffix(".json").read_text())["operators"]


def test_unknown_accelerator_and_missing_compiler_are_named(exported, tmp_path, monkeypatch):
    path = exported / "student_int8.tflite"
    with pytest.raises(InputError, match="unknown accelerator; expected ethos-u55-32"):
        ethos_u.compile_model(path, "ethos-u99", tmp_path / "c.tflite")
    monkeypatch.setattr(ethos_u, "installed", lambda: False)
    with pytest.raises(InputError, match=r"compiler is not installed.*requirements-edge"):
        ethos_u.compile_model(path, "ethos-u55-128", tmp_path / "c.tflite")


vela = pytest.mark.skipif(
    not ethos_u.installed(), reason="ethos-u-vela is not installed (requirements-edge.txt)"
)


@vela
def test_every_operator_of_a_student_runs_on_an_accelerator(exported, tmp_path):
    report = microcontroller_report.report(
        exported / "student_int8.tflite", tmp_path, ["ethos-u55-128", "ethos-u85-256"]
    )
    slow, fast = report.accelerators
    for one in report.accelerators:
        assert one.cpu_operators == {} and one.npu_operators > 40
        compiled = tmp_path / f"student_int8_{one.accelerator}.tflite"
        assert compiled.stat().st_size == one.file_bytes
        assert compiled.with_suffix(".h").is_file()
        (signature,) = flatbuffer.parse(compiled.read_bytes()).signatureDefs
        assert (signature.inputs[0].name, signature.outputs[0].name) == (b"features", b"logits")
    assert slow.milliseconds > fast.milliseconds > 0


@vela
def test_operators_of_the_front_end_fall_back_to_the_processor(exported, tmp_path):
    path = exported / "student_int8_waveform.tflite"
    report = ethos_u.compile_model(path, "ethos-u55-128", tmp_path / "compiled.tflite")
    assert report.cpu_operators["RFFT2D"] == 1
    assert report.npu_operators > 40


@vela
def test_a_file_the_compiler_refuses_is_named(tmp_path):
    (tmp_path / "text.tflite").write_text("hello")
    with pytest.raises(InputError, match=r"text\.tflite: cannot be compiled for ethos-u55-128"):
        ethos_u.compile_model(tmp_path / "text.tflite", "ethos-u55-128", tmp_path / "c.tflite")
