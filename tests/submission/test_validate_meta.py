"""Defects of meta files, one case each: rejected, with file and field."""

import pytest
import yaml

LABEL = "Lind_NIS_task1_1"
FOLDER = f"task1/{LABEL}"
META = f"{FOLDER}/{LABEL}.meta.yaml"
DEV = "results.development_dataset"
UNSET = object()


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("submission", UNSET, "'submission' is missing"),
        ("submission", [], "not a mapping"),
        ("submission.name", UNSET, "'name' is missing"),
        ("submission.name", "", "empty"),
        ("submission.abbreviation", "ABCDEFGHIJK", "too long"),
        ("submission.abbreviation", 12, "not text"),
        ("submission.label", "Lind_NIS_task1", "malformed"),
        ("submission.label", "Lind_NIS_task2_1", "malformed"),
        ("submission.label", "Lind_NIS_task1_5", "malformed"),
        ("submission.label", "Lind_NIS_task1_2", "differs from the directory"),
        ("submission.authors.0.email", UNSET, "'email' is missing"),
        ("submission.authors.0.email", "nobody", "e-mail"),
        ("submission.authors.0.affiliation", None, "not a mapping"),
        ("submission.authors.0.corresponding", UNSET, "corresponding"),
        ("submission.authors.0.corresponding", "false", "true or false"),
        ("submission.authors.1.corresponding", True, "received 2"),
        ("submission.authors", None, "not a list"),
        ("system.source_code", UNSET, "'source_code' is missing"),
        ("system.source_code", [], "not an address"),
        ("system.description.framework", UNSET, "'framework' is missing"),
        ("system.description.framework", None, "empty"),
        ("system.description.pipeline", 3, "not text"),
        (
            "system.description.input_sampling_rate",
            32_000,
            "is not text; expected text such as 32kHz; received 32000",
        ),
        (
            "system.description.input_sampling_rate",
            44.1,
            "expected text such as 32kHz; received 44",
        ),
        ("system.description.input_sampling_rate", " ", "is empty; expected text such as 32kHz"),
        (
            "system.description.framework",
            True,
            "expected text such as keras/tensorflow; received T",
        ),
        ("system.description.data_augmentation", ["mixup"], "text such as mixup, time rolling; re"),
        ("system.description.complexity_management", 16, "text such as pruning, precision_16; re"),
        ("submission.authors.0.lastname", False, "is not text; expected text, in quotes if YAML"),
        ("submission.authors.1.affiliation.abbreviation", 42, "expected text, in quotes if YAML"),
        ("submission.name", 2024, "expected text, in quotes if YAML takes it for a number"),
        ("system.description", "CNN", "not a mapping"),
        ("system.complexity", None, "not a mapping"),
        ("system.complexity.macs", UNSET, "'macs' is missing"),
        ("system.complexity.macs", 30_000_001, "at most 30,000,000 MACs"),
        ("system.complexity.macs", float("nan"), "whole number"),
        ("system.complexity.total_model_size", 128_001, "at most 128,000 bytes"),
        ("system.complexity.total_model_size", "128 kB", "whole number"),
        ("system.complexity.total_model_size", 127, "does not fit total_parameters"),
        ("system.complexity.total_model_size", -1, "whole number"),
        (
            "system.complexity.total_parameters",
            "61k",
            "expected digits alone, such as 61148; received",
        ),
        ("system.complexity.total_parameters", 61148.0, "expected digits alone, such as 61148"),
        ("system.complexity.total_parameters", True, "whole number"),
        ("system.external_datasets", UNSET, "'external_datasets' is missing"),
        ("system.external_datasets.0.url", UNSET, "'url' is missing"),
        ("system.external_datasets.0.total_audio_length", -1, "minutes"),
        ("results", UNSET, "'results' is missing"),
        (DEV, UNSET, "'development_dataset' is missing"),
        (DEV, None, "not a mapping"),
        (f"{DEV}.split_5", UNSET, "'split_5' is missing"),
        (f"{DEV}.split_5", 54.5, "not a mapping"),
        (f"{DEV}.split_7", None, "unknown field"),
        (f"{DEV}.split_5.overall", UNSET, "'overall' is missing"),
        (f"{DEV}.split_5.overall.accuracy", "54 %", "percent or null"),
        (f"{DEV}.split_5.overall.accuracy", 101.0, "percent or null"),
        (f"{DEV}.split_5.overall.accuracy", float("nan"), "percent or null"),
        (f"{DEV}.split_5.overall.accuracy", 54.7, "not the mean"),
        (f"{DEV}.split_5.overall.logloss", -0.5, "not a log loss"),
        (f"{DEV}.split_5.overall.logloss", float("inf"), "not a log loss"),
        (f"{DEV}.split_5.class_wise.bus", UNSET, "'bus' is missing"),
        (f"{DEV}.split_5.class_wise.forest", {}, "unknown field"),
        (f"{DEV}.split_5.class_wise.bus.accuracy", -1, "percent or null"),
        (f"{DEV}.split_5.device_wise.s7", {}, "unknown field"),
        (f"{DEV}.split_5.device_wise.s6", UNSET, "'s6' is missing"),
        (f"{DEV}.split_5.device_wise.a.logloss", UNSET, "'logloss' is missing"),
    ],
)
def test_meta_defects(files, validate, meta, field, value, named, assert_rejected):
    *parents, last = [int(key) if key.isdecimal() else key for key in field.split(".")]
    block = meta
    for key in parents:
        block = block[key]
    if value is UNSET:
        del block[last]
    else:
        block[last] = value
    files[META] = yaml.safe_dump(meta).encode()
    where = field.rpartition(".")[0] if value is UNSET or named == "unknown field" else field
    shown = where.replace(".0", "[0]").replace(".1", "[1]")
    if named == "received 2" or field == "submission.authors.0.corresponding":
        shown = "submission.authors"
    assert_rejected(validate(files), META, shown, named)


@pytest.mark.parametrize(
    ("parameters", "fits"), [(31_873, False), (31_874, True), (1_019_968, True), (1_019_969, False)]
)
def test_size_of_one_to_32_bits_a_parameter(files, validate, meta, parameters, fits):
    meta["system"]["complexity"]["total_parameters"] = parameters
    files[META] = yaml.safe_dump(meta).encode()
    assert validate(files).valid == fits


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (b"", "not a mapping"),
        (b"- a\n- b\n", "not a mapping"),
        (b"submission: [", "not YAML"),
        (b"submission: {}\n...\n---\n", "not YAML"),
        (b"submission: \xe9", "not UTF-8"),
        (b"submission: \x00", "not YAML"),
        (b"submission: {label: 1, label: 2}", "given twice"),
        (b"submission: {label: 0x_}", "cannot be converted"),
        (b"submission: {label: " + b"9" * 5000 + b"}", ""),
        (b"submission: !!python/object/apply:os.system ['true']", "tag is not allowed"),
        (b"a: &a [*a]\nsubmission: *a", "not a mapping"),
        (b"{" * 3000, "nested too deeply"),
        (b"a" * 300_000, "unpacks to too much"),
    ],
)
def test_meta_that_is_no_meta(files, validate, text, named, assert_rejected):
    files[META] = text
    assert_rejected(validate(files), META, named)


def test_results_may_be_null(files, validate, meta):
    for split in (5, 10):
        meta["results"]["development_dataset"][f"split_{split}"] = None
    meta["results"]["development_dataset"]["split_25"]["class_wise"] = None
    meta["results"]["development_dataset"]["split_50"]["overall"]["logloss"] = None
    files[META] = yaml.safe_dump(meta).encode()
    report = validate(files)
    assert report.errors == ()
    assert len(report.warnings) == 2
