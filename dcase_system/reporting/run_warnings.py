"""Warnings about a student's run: its lists of clips, its predictions and its training."""

from collections.abc import Iterator

from dcase_system.reporting.content import Note
from dcase_system.reporting.derived import plural, total
from dcase_system.reporting.documents import warnings
from dcase_system.reporting.numbers import Number, is_number
from dcase_system.reporting.run_files import Run

_ONE_CLASS = "Warning: predicts one class only; train longer."
_FEW_STEPS = 100  # every published training has thousands


def run_warnings(run: Run) -> list[Note]:
    """Returns all warnings about a run."""
    return [*warnings(run.config), *result_warnings(run)]


def result_warnings(run: Run) -> Iterator[Note]:
    """Yields warnings that follow from results: one predicted class, or few training steps."""
    if _predicts_one_class(run):
        yield Note(_ONE_CLASS)
    steps = training_steps(run)
    if steps and 0 < steps.value < _FEW_STEPS:
        advice = "accuracy will rise with more epochs or smaller batches."
        noun = plural(steps, "training step")
        yield Note(["Warning: only ", steps, f" {noun}; {advice}"])


def training_steps(run: Run) -> Number | None:
    """Returns the steps of all stages of the plan; None if the settings do not have them."""
    settings = ("settings", "plan")
    per_epoch = run.config.number("settings", "steps_per_epoch")
    epochs = run.config.number(*settings, "epochs")
    if per_epoch is None or epochs is None:
        return None
    of_rounds = (
        run.config.number(*settings, "rounds", at, key)
        for at, _ in run.config.entries(*settings, "rounds")
        for key in ("epochs", "tuning_epochs")
    )
    return total(per_epoch, [epochs, *(one for one in of_rounds if one)])


def _predicts_one_class(run: Run) -> bool:
    """Whether only one column of the confusion matrix has clips, of several classes."""
    rows = run.scores.get("confusion")
    if not isinstance(rows, list) or len(rows) < 2:
        return False
    predicted = {
        column
        for row in rows
        for column, clips in enumerate(row if isinstance(row, list) else ())
        if is_number(clips) and clips
    }
    return len(predicted) == 1
