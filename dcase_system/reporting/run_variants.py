"""The variants of a student's network: the accuracy and size of each file."""

from collections.abc import Iterator

from dcase_system.reporting.content import Block, Note, Table
from dcase_system.reporting.derived import chance_of, chance_precision_of, interval_of, joined
from dcase_system.reporting.documents import missing
from dcase_system.reporting.numbers import Number, Sentence
from dcase_system.reporting.run_files import Run
from dcase_system.reporting.search_figures import PERCENT

_INT8, _DYNAMIC = "tflite_int8", "tflite_dynamic"
_LARGER_THAN_PARAMETERS = (
    ": a .tflite file also holds the graph, the names of its tensors, and a scale and a zero point "
    "for each quantized channel. A file that takes a waveform also holds the front end in float32."
)
_LARGER_THAN_DYNAMIC = (
    " bytes): it has a scale and a zero point for each channel of every layer, and here they take "
    "more bytes than its smaller weights save."
)


def device_files(run: Run) -> Iterator[Block | None]:
    """Yields the table of variants and explains surprising sizes, or says what is missing."""
    if not run.scores.names("forms"):
        yield missing(run.scores, "scores of the files")
        return
    if context := accuracy_context(run):
        yield Note(["Submitted variant: ", *context, "."])
    yield variants_table(run)
    yield from _sizes(run)


def accuracy_context(run: Run) -> Sentence:
    """Returns interval and chance level of the submitted variant's accuracy; empty if unknown."""
    return joined(accuracy_interval(run), run_chance(run))


def run_chance(run: Run) -> Sentence:
    """Returns the chance level of the run's accuracy or mAP; empty if it is not known."""
    if run.several_labels:
        return chance_precision_of(run.scores, "forms", run.submitted, "overall", "chance")
    return chance_of(run.config)


def accuracy_interval(run: Run) -> Sentence:
    """Returns the interval of the submitted variant's accuracy or mAP; empty if it is not known."""
    scale = PERCENT if run.several_labels else 1.0
    return interval_of(run.scores, "intervals_95", "overall", scale=scale)


def variants_table(run: Run) -> Table:
    """Builds the table of every variant's accuracy and its agreement with Keras."""
    if run.several_labels:
        return Table(
            "forms",
            "Variants on the dev-test clips; differences are from Keras float32; * is submitted",
            ("variant", "mAP %", "largest difference", "bytes"),
            [
                (
                    f"{variant} *" if variant == run.submitted else variant,
                    run.scores.number(
                        "forms", variant, "overall", "map", scale=PERCENT, spec=".2f"
                    ),
                    run.scores.number("forms", variant, "largest_difference", spec=".3f"),
                    _bytes(run, variant),
                )
                for variant in run.scores.names("forms")
            ],
        )
    return Table(
        "forms",
        "Variants on the dev-test clips; agreement is with Keras float32; * is submitted",
        ("variant", "accuracy %", "log loss", "agrees %", "bytes"),
        [
            (
                f"{variant} *" if variant == run.submitted else variant,
                run.scores.number("forms", variant, "overall", "accuracy", spec=".2f"),
                run.scores.number("forms", variant, "overall", "logloss", spec=".3f"),
                run.scores.number("forms", variant, "agreement"),
                _bytes(run, variant),
            )
            for variant in run.scores.names("forms")
        ],
    )


def _bytes(run: Run, variant: str) -> Number | None:
    return run.cards[variant].number("bytes", spec=",") if variant in run.cards else None


def _sizes(run: Run) -> Iterator[Note]:
    """Explains an int8 file that is larger than its parameters or than the dynamic file."""
    int8, dynamic = _bytes(run, _INT8), _bytes(run, _DYNAMIC)
    parameters = run.complexity.number("bytes", "int8", spec=",")
    if int8 and parameters and int8.value > parameters.value:
        alone = " bytes, its parameters alone "
        yield Note([f"{_INT8} has ", int8, alone, parameters, _LARGER_THAN_PARAMETERS])
    if int8 and dynamic and int8.value > dynamic.value:
        yield Note([f"{_INT8} is larger than {_DYNAMIC} (", dynamic, _LARGER_THAN_DYNAMIC])
