import copy

import pytest
import yaml

from dcase_system.core.errors import InputError
from dcase_system.corpora import tau
from dcase_system.submission.card import SystemName
from dcase_system.submission.meta import build_meta, meta_text, write_meta
from dcase_system.submission.validate_meta import meta_defects, meta_warnings

LABEL = "Lind_NIS_task1_1"


@pytest.fixture
def build(card, description, results):
    def build_with(**changes):
        arguments = {
            "total_parameters": 63_748,
            "total_model_size": 127_496,
            "macs": 29_982_132,
            "results": {5: results},
            **changes,
        }
        return build_meta(card, LABEL, SystemName("Name", "N"), description, **arguments)

    return build_with


def test_round_trip_through_yaml(build, tmp_path):
    write_meta(tmp_path / "meta.yaml", build())
    assert yaml.safe_load((tmp_path / "meta.yaml").read_text(encoding="utf-8")) == build()


def test_keys_are_in_the_order_of_the_template(build):
    text = meta_text(build())
    keys = ["submission:", "label:", "authors:", "system:", "complexity:", "results:", "split_5:"]
    places = [text.index(key) for key in keys]
    assert places == sorted(places)
    assert text == meta_text(build())


def test_non_ascii_names_stay_readable(build):
    meta = build()
    meta["submission"]["authors"][0]["lastname"] = "Müller"
    assert "Müller" in meta_text(meta)


def test_splits_that_were_not_run_are_null(build, results):
    splits = build(results={5: results, 25: None})["results"]["development_dataset"]
    assert list(splits) == [f"split_{split}" for split in tau.SPLITS]
    assert [name for name, block in splits.items() if block is not None] == ["split_5"]


def test_metrics_that_are_missing_or_not_finite_are_null(build, results):
    changed = copy.deepcopy(results)
    changed["overall"]["logloss"] = float("nan")
    del changed["class_wise"]["bus"], changed["device_wise"]
    block = build(results={5: changed})["results"]["development_dataset"]["split_5"]
    assert block["overall"] == {"accuracy": 54.5, "logloss": None}
    assert block["class_wise"]["bus"] == {"accuracy": None, "logloss": None}
    assert list(block["device_wise"]) == list(tau.DEVICES)


@pytest.mark.parametrize("bad", [{7: {}}, {5: {"class_wise": {"plane": {"accuracy": 1.0}}}}])
def test_unknown_names_in_results(build, bad):
    with pytest.raises(InputError, match="unknown"):
        build(results=bad)


def test_what_is_written_is_valid(build):
    assert list(meta_defects(build(), "meta", LABEL)) == []


def test_another_corpus(build):
    scenes, devices = ("rain", "wind"), ("a", "s1")
    results = {5: {"class_wise": {"rain": {"accuracy": 50.0}}}}
    meta = build(results=results, scenes=scenes, devices=devices)
    assert list(meta_defects(meta, "meta", LABEL, scenes, devices)) == []
    assert any("field 'airport' is missing" in line for line in meta_defects(meta, "meta", LABEL))


def test_fractions_and_empty_descriptions_are_warned_of(build):
    meta = build()
    meta["results"]["development_dataset"]["split_5"]["overall"]["accuracy"] = 0.545
    meta["system"]["description"]["pipeline"] = None
    warnings = list(meta_warnings(meta, "meta"))
    assert any("split_5.overall.accuracy: looks like a fraction" in line for line in warnings)
    assert any("description.pipeline: is null" in line for line in warnings)
