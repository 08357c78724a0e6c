"""The `dcase` command: the same commands under one name."""

import importlib.metadata

import pytest

from dcase_system import __main__ as dcase
from dcase_system import doctor
from dcase_system.models import registry
from tests.commands import run


def test_without_a_command_it_lists_them():
    done = run("dcase_system")
    assert done.returncode == 0
    for name in dcase.COMMANDS:
        assert f"\n  dcase {name} " in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_an_unknown_command_ends_in_one_line():
    done = run("dcase_system", "train")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: dcase: no such command; expected classify, ")
    assert line.endswith("received train")


@pytest.mark.parametrize("name", dcase.COMMANDS)
def test_every_command_is_that_of_its_module(name):
    done = run("dcase_system", name, "--help")
    assert done.returncode == 0
    assert done.stdout == run(dcase.COMMANDS[name][0], "--help").stdout


def test_arguments_and_status_are_passed_on():
    done = run("dcase_system", "complexity", "sscp_mobile_s1")
    assert done.returncode == 0, done.stderr
    assert "63,748" in done.stdout
    assert run("dcase_system", "complexity", "nowhere").returncode == 1


def test_the_doctor_says_what_is_installed_and_trains_a_step(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "_ARCHITECTURES", ("scene_a",))
    assert doctor.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert f"tensorflow {importlib.metadata.version('tensorflow')}" in lines
    assert lines[-2].startswith("training step of scene_a on ")
    assert lines[-1] == "this installation works"


@pytest.mark.slow
def test_the_doctor_trains_a_step_of_each_family():
    done = run("dcase_system.doctor")
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("training step of ") == len(doctor._ARCHITECTURES)
    trained = {registry.kind_of(registry.named_spec(name)) for name in doctor._ARCHITECTURES}
    assert trained == {
        registry.kind_of(registry.named_spec(name)) for name in registry.ARCHITECTURES
    }


def test_the_doctor_names_an_architecture_that_does_not_train(monkeypatch, capsys):
    def refuse(name):
        raise ValueError("no kernel\nfor this device")

    monkeypatch.setattr(doctor, "_one_step", refuse)
    monkeypatch.setattr(doctor, "_ARCHITECTURES", ("scene_a",))
    assert doctor.main([]) == 1
    fault = capsys.readouterr().out.splitlines()[-1]
    assert fault.startswith("fault: scene_a: training step on ")
    assert fault.endswith(" failed: no kernel for this device")


def test_the_doctor_finds_what_is_missing_or_untested(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "_NEEDED", ("tensorflow", "no-such-package"))
    monkeypatch.setattr(doctor, "_ROWS", {})
    assert doctor.main([]) == 1
    *_, warning, fault = capsys.readouterr().out.splitlines()
    assert warning.startswith("warning: Python ") and "is not tested" in warning
    assert fault == "fault: no-such-package is missing; install what requirements.txt lists"
