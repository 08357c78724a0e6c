import keras
import pytest

from dcase_system.complexity import rules
from dcase_system.complexity.sparsity import sparsity_report
from dcase_system.corpora import tau
from dcase_system.models import registry
from dcase_system.reporting.summary import (
    ensemble_table,
    package_table,
    published_baseline_rows,
    result_row,
    run_summary,
    sparsity_table,
)


def scores(accuracy: float) -> dict:
    def block(names):
        return {name: {"accuracy": 100.0, "logloss": 12.345} for name in names}

    form = {
        "overall": {"accuracy": accuracy, "logloss": 0.8451},
        "device_wise": block(tau.DEVICES),
        "group_wise": block(("real", "seen", "unseen")),
        "agreement": 100.0,
    }
    names = ("keras_float32", "keras_float16", "tflite_float32", "tflite_float16", "tflite_int8")
    return {
        "submitted_form": "keras_float16",
        "forms": dict.fromkeys(names, form),
        "intervals_95": {"overall": (67.46, 79.64)},
    }


@pytest.fixture(scope="module")
def summary():
    network = registry.build(registry.named_spec("sscp_mobile_s2"))
    return run_summary(scores(73.82), rules.report(network))


def test_summary_fits_80_columns(summary):
    assert max(map(len, summary.splitlines())) <= 80


def test_summary_states_accuracy_interval_and_verdicts(summary):
    assert "macro accuracy 73.8 % (95 % interval 67.5-79.6), log loss 0.845" in summary
    assert "keras_float16 *" in summary
    assert summary.count("OVER") == 1
    assert summary.count("complies") == 1


@pytest.fixture(scope="module")
def complexity():
    return rules.report(registry.build(registry.named_spec("sscp_mobile_s1")))


def test_package_table_has_a_row_a_system_and_a_column_a_split(complexity):
    given = [("S1", 5, 40.0), ("S1", 100, 60.0), ("S2", 5, 41.0)]
    rows = [result_row(name, split, scores(value), complexity) for name, split, value in given]
    header, first, second = package_table(rows).splitlines()
    assert header.split()[-7:] == ["5", "%", "100", "%", "mean", "bytes", "MMACs"]
    assert first.split() == ["S1", "40.0", "60.0", "50.0", "127,496", "29.98"]
    assert second.split() == ["S2", "41.0", "-", "-", "127,496", "29.98"]


def test_the_published_baseline_stands_below_and_the_table_fits(complexity):
    rows = [result_row("S1", split, scores(100.0), complexity) for split in tau.SPLITS]
    lines = package_table([*rows, *published_baseline_rows()]).splitlines()
    # The challenge ranks by the mean over the five lists.
    assert lines[-1].split()[3:9] == ["42.4", "45.3", "50.3", "53.2", "57.0", "49.6"]
    assert max(map(len, lines)) <= 86


def test_sparsity_table_shows_what_each_edition_counts():
    network = registry.build(registry.named_spec("sscp_mobile_64"))
    for layer in network.layers:
        if type(layer) is keras.layers.Conv2D:
            layer.kernel.assign(0 * layer.kernel)
    row = (scores(61.0), rules.report(network), sparsity_report(network, {}))
    lines = sparsity_table({"zeros": row}).splitlines()
    name, accuracy, zeros, counted, nonzero, _, _, before, since = lines[-1].split()
    assert (name, accuracy, zeros, counted) == ("zeros", "61.00", "100.0", "476,648")
    assert int(nonzero.replace(",", "")) < 30_000
    assert (before, since) == ("kept", "OVER")
    assert max(map(len, lines)) <= 80


def test_ensemble_table_has_a_row_a_teacher_and_the_ensemble_last():
    row = {"accuracy": 71.26, "logloss": 0.9, "entropy": 0.5, "agreement": 88.0}
    rows = {"1-passt_s": row, "ensemble": {**row, "agreement": 100.0}}
    lines = ensemble_table({"train": rows, "dev_test": rows}).splitlines()
    assert [line.split()[0] for line in lines if line] == [
        *("train", "1-passt_s", "ensemble"),
        *("dev_test", "1-passt_s", "ensemble"),
    ]
    assert lines[1].split()[1:] == ["71.3", "0.900", "0.500", "88.0"]
    assert max(map(len, lines)) <= 80
