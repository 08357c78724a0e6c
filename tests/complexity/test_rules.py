import json

import pytest

from dcase_system.complexity import rules
from dcase_system.complexity.__main__ import load
from dcase_system.complexity.counter import count
from dcase_system.core.errors import InputError
from dcase_system.models import registry


@pytest.fixture(scope="module")
def s2():
    return registry.build(registry.named_spec("sscp_mobile_s2"))


def verdicts(network, precision):
    return {(v.edition, v.rule.split(",")[0]): v for v in rules.judge(network, precision)}


def test_s2_as_printed_is_over_128000_bytes_at_float16(s2):
    verdict = verdicts(s2, "float16")["2024 Task 1", "parameters at float16"]
    assert (verdict.value, verdict.limit, verdict.complies) == (129_750, 128_000, False)


def test_s2_fits_at_int8(s2):
    assert verdicts(s2, "int8")["2024 Task 1", "parameters at int8"].complies


def test_2022_prescribes_int8_whatever_is_handed_in(s2):
    assert verdicts(s2, "float32")["2022 Task 1", "parameters at int8 (prescribed)"].value == 64_875


@pytest.mark.parametrize("base", [48, 64, 96])
def test_unpruned_wide_networks_break_both_limits(base):
    network = registry.build(registry.named_spec(f"sscp_mobile_{base}"))
    of_2024 = [v for v in rules.judge(network, "float16") if v.edition == "2024 Task 1"]
    assert len(of_2024) == 2
    assert not any(verdict.complies for verdict in of_2024)


def test_limits_are_inclusive():
    assert rules.Verdict(
        "e", "r", 30_000_000, 30_000_000, rules.MAX_MACS_2024 >= 30_000_000
    ).complies


def test_editions_before_2022_count_non_zero_parameters_only(s2):
    zeroed = registry.build(registry.named_spec("sscp_mobile_s2"))
    for layer in zeroed.layers:
        if layer.name.startswith("block6"):
            layer.set_weights([weight * 0 for weight in layer.get_weights()])
    before, after = verdicts(s2, "float16"), verdicts(zeroed, "float16")
    key_2021, key_2024 = (
        ("2021 Task 1A", "non-zero float16 parameters"),
        ("2024 Task 1", "parameters at float16"),
    )
    assert after[key_2021].value < before[key_2021].value
    assert after[key_2024].value == before[key_2024].value


def test_report_is_json_with_the_stable_keys(s2):
    values = json.loads(json.dumps(rules.report(s2)))
    assert {"params", "macs", "bytes", "layers", "rules"} <= values.keys()
    assert values["bytes"] == {"float32": 259_500, "float16": 129_750, "int8": 64_875}
    assert list(values["rules"]) == [
        f"{y} Task 1" if y > 2021 else {2020: "2020 Task 1B", 2021: "2021 Task 1A"}[y]
        for y in range(2020, 2026)
    ]


def test_text_has_a_verdict_for_each_rule(s2):
    text = rules.as_text(rules.report(s2))
    assert text.count("OVER") == 3  # bytes in 2023, 2024, 2025
    assert "64,875" in text


@pytest.mark.parametrize(("seconds", "frames"), [(0.5, 33), (2.0, 129), (10.0, 641)])
def test_what_is_counted_for_clips_of_another_length_says_so(seconds, frames):
    spec = registry.for_clips(registry.named_spec("sscp_mobile_s1"), 10, frames)
    model = registry.build(spec)
    values = rules.report(model, clip_seconds=seconds)
    assert values["clip_seconds"] == seconds
    (macs,) = [one for one in values["rules"]["2024 Task 1"] if "MACs" in one["rule"]]
    assert macs["rule"] == f"MACs for clips of {seconds:g} s, not 1 s"
    assert macs["value"] == count(model).macs and macs["complies"] == (seconds < 1)
    plain = rules.report(model)["rules"]["2024 Task 1"]
    assert [one["rule"] for one in plain] == ["parameters at float16, bytes", "MACs for one clip"]


def test_spec_file_and_keras_file_and_name_load(tmp_path):
    spec = registry.named_spec("sscp_mobile_32")
    (tmp_path / "spec.json").write_text(json.dumps(registry.spec_to_json(spec)))
    registry.build(spec).save(tmp_path / "network.keras")
    for source in ("sscp_mobile_32", str(tmp_path / "spec.json"), str(tmp_path / "network.keras")):
        assert rules.report(load(source))["params"] == 62_564


@pytest.mark.parametrize("name", ["nothing", "gone.json", "gone.keras"])
def test_what_cannot_be_loaded_is_named(name):
    with pytest.raises(InputError, match=name):
        load(name)


def test_text_renamed_to_keras_is_refused(tmp_path):
    (tmp_path / "text.keras").write_text("hello")
    with pytest.raises(InputError, match=r"text\.keras: model cannot be read"):
        load(str(tmp_path / "text.keras"))


def test_model_file_for_inputs_of_any_length_is_refused(tmp_path):
    registry.build(registry.named_spec("passt_tiny")).save(tmp_path / "network.keras")
    with pytest.raises(InputError, match=r"takes inputs of any size.*\.json"):
        rules.report(load(str(tmp_path / "network.keras")))


def test_freezing_a_network_changes_no_verdict():
    network = registry.build(registry.named_spec("sscp_mobile_48"))
    before = rules.judge(network, "float16")
    network.trainable = False
    assert rules.judge(network, "float16") == before
    assert not all(verdict.complies for verdict in before)


def test_what_a_user_asked_for_is_judged_first(s2):
    values = rules.report(s2, target_macs=1_000, target_bytes=10**9)
    assert next(iter(values["rules"])) == rules.TARGET
    size, macs = values["rules"][rules.TARGET]
    assert (size["value"], size["complies"]) == (2 * values["params"], True)
    assert (macs["value"], macs["limit"], macs["complies"]) == (values["macs"], 1_000, False)
    assert rules.TARGET not in rules.report(s2)["rules"]
