"""Validates a submission package, more strictly than the organisers do.

    python -m dcase_system.submission.validate PACKAGE.zip
    python -m dcase_system.submission.validate PACKAGE.zip --splits=5,100 \\
        --data_dir=DEVELOPMENT --evaluation_dir=EVALUATION
    python -m dcase_system.submission.validate predictions/LABEL \\
        --task=task1_2025 --evaluation_dir=EVALUATION

Exits with 0 if the package is valid and with 1 if not; prints one line per error.
Warnings go to standard error and do not affect the exit code.
"""

import sys
import zipfile
from collections.abc import Collection, Sequence
from itertools import chain
from pathlib import Path

from absl import app, flags

from dcase_system.core import cli
from dcase_system.core.errors import InputError, defect
from dcase_system.core.locations import as_location
from dcase_system.corpora import tau
from dcase_system.corpora.demo_marker import is_demo
from dcase_system.submission.archive import open_package, printable
from dcase_system.submission.entries import (
    Report,
    limited,
    output_file_defects,
    read_meta,
    report_defects,
    with_placeholders,
)
from dcase_system.submission.layout import sort_entries, system_defects
from dcase_system.submission.package import REPORT_SUFFIX, TASK
from dcase_system.submission.predictions_2025 import validate_predictions_2025
from dcase_system.submission.validate_biodcase import validate_biodcase
from dcase_system.submission.validate_meta import meta_defects, meta_warnings
from dcase_system.submission.validate_output import bare_names
from dcase_system.submission.validate_task1b import validate_task1b


def validate_package(
    zip_path: str | Path,
    *,
    splits: Sequence[int] = tau.SPLITS,
    evaluation_filenames: Collection[str] | None = None,
    scenes: Sequence[str] = tau.SCENES,
    devices: Sequence[str] = tau.DEVICES,
    require_report: bool = False,
    for_submission: bool = True,
) -> Report:
    """Checks a package from the outside in: zip, layout, output files, meta files.

    Never raises for a defective package, however damaged or hostile.

    Args:
        zip_path: The package.
        splits: Percentages for which each system must have an output file.
        evaluation_filenames: Clips that each output file must have, with or without the folder
            `audio/`; by default the official `0.wav` to `135729.wav`.
        scenes: Classes, in order.
        devices: Recording devices of the development-test results.
        require_report: Whether a missing technical report is an error, not a warning.
        for_submission: Whether the package is meant for submission: then placeholders of the author
            card are errors, not warnings.
    """
    if evaluation_filenames is None:
        evaluation_filenames = [f"{index}.wav" for index in range(tau.EVALUATION_CLIPS)]
    clips = bare_names(evaluation_filenames)
    errors: list[str] = []
    warnings: list[str] = []
    try:
        archive = open_package(zip_path)
    except InputError as error:
        return Report((str(error),))
    with archive:
        layout = sort_entries(archive.infolist(), splits)
        errors += layout.errors
        if not layout.reports:
            missing = defect(f"{TASK}/", f"technical report is missing (*{REPORT_SUFFIX})")
            (errors if require_report else warnings).append(missing)
        for entry in layout.reports:
            errors += report_defects(archive, entry)
        for label, system in sorted(layout.systems.items()):
            errors += system_defects(label, system, splits)
            for entry in chain.from_iterable(system.outputs.values()):
                errors += limited(output_file_defects(archive, entry, scenes, clips), entry)
            for entry in system.metas:
                found = _check_meta(archive, entry, label, scenes, devices, for_submission)
                errors += found.errors
                warnings += found.warnings
    return Report(tuple(errors), tuple(warnings))


def _check_meta(
    archive: zipfile.ZipFile,
    entry: zipfile.ZipInfo,
    label: str,
    scenes: Sequence[str],
    devices: Sequence[str],
    for_submission: bool,
) -> Report:
    where = printable(entry.filename)
    meta, fault = read_meta(archive, entry)
    if fault:
        return Report((fault,))
    errors = tuple(limited(meta_defects(meta, where, label, scenes, devices), entry))
    warnings = tuple(limited(meta_warnings(meta, where), entry))
    return with_placeholders(Report(errors, warnings), meta, entry, for_submission)


def main(argv: Sequence[str]) -> int:
    options = flags.FLAGS
    if len(argv) != 2:
        raise app.UsageError("expected one package: PACKAGE.zip")
    given = options.splits
    if given is not None and not (given and all(split.isdecimal() for split in given)):
        raise app.UsageError("--splits takes percentages, such as --splits=5,10")
    clips = None
    # Imported here because it loads pandas, half of the start-up time.
    if options.evaluation_dir:
        from dcase_system.corpora.corpus import read_evaluation_list

        clips = read_evaluation_list(options.evaluation_dir)
    folders = [as_location(one) for one in (options.data_dir, options.evaluation_dir) if one]
    demo = any(map(is_demo, folders))
    if options.task == "biodcase":
        report = validate_biodcase(
            argv[1], require_report=options.require_report, for_submission=not demo
        )
        return _show(argv[1], report)
    if options.task == "task1b":
        if options.data_dir:
            from dcase_system.corpora.task1b import read_task1b

            read_task1b(options.data_dir)
        report = validate_task1b(argv[1], evaluation_filenames=clips, for_submission=not demo)
        return _show(argv[1], report)
    scenes: Sequence[str] = options.scenes or tau.SCENES
    if options.task == "task1_2025":
        if clips is None:
            raise app.UsageError("--task=task1_2025 needs --evaluation_dir")
        return _show(
            argv[1],
            validate_predictions_2025(Path(argv[1]), evaluation_filenames=clips, scenes=scenes),
        )
    devices: Sequence[str] = tau.DEVICES
    splits: Sequence[int] = tau.SPLITS
    if options.data_dir:
        from dcase_system.corpora.corpus import read_corpus

        corpus = read_corpus(options.data_dir, options.scenes)
        scenes, devices, splits = corpus.scenes, corpus.devices, corpus.splits or splits
    report = validate_package(
        argv[1],
        splits=[int(split) for split in given] if given else splits,
        evaluation_filenames=clips,
        scenes=scenes,
        devices=devices,
        require_report=options.require_report,
        # The challenge only has TAU's scenes.
        for_submission=not demo and set(scenes) == set(tau.SCENES),
    )
    return _show(argv[1], report)


def _show(package: str, report: Report) -> int:
    for warning in report.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    for error in report.errors:
        print(error)
    if report.valid:
        print(f"{package}: valid")
    return 0 if report.valid else 1


# Flags are global to a process: defined on import, they would collide with those of a recipe.
def _define_flags() -> None:
    flags.DEFINE_enum(
        "task",
        "task1",
        ["task1", "task1b", "task1_2025", "biodcase"],
        "Kind of package: Task 1 of 2024, Task 1B of 2020, a folder of predictions for Task 1 of "
        "2025, or Task 3 of BioDCASE-Tiny 2026.",
    )
    flags.DEFINE_list(
        "splits",
        None,
        "PERCENT: Splits that each system must have. [those --data_dir has lists of, or all five]",
    )
    flags.DEFINE_string(
        "data_dir", None, "FOLDER: Development clips that set scenes and devices. [those of TAU]"
    )
    flags.DEFINE_list(
        "scenes", None, "NAME: Classes in label order, as given to the recipe. [sorted]"
    )
    flags.DEFINE_string(
        "evaluation_dir",
        None,
        "FOLDER: Evaluation clips that each output must have. [the official ones]",
    )
    flags.DEFINE_bool(
        "require_report", False, "Treat a missing technical report as an error, not a warning."
    )


if __name__ == "__main__":
    _define_flags()
    cli.run(main, takes_arguments=True)
