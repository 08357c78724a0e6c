"""The model card of an exported network, for users of its files.

After Mitchell et al., "Model Cards for Model Reporting" (2019).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from dcase_system.core.files import write_text
from dcase_system.reporting.content import Table
from dcase_system.reporting.documents import read_document
from dcase_system.reporting.numbers import Document, plain
from dcase_system.reporting.rejection import rejection_notes, rejects
from dcase_system.reporting.run_files import read_run
from dcase_system.reporting.run_page import label_table, part_table
from dcase_system.reporting.run_variants import accuracy_context, variants_table
from dcase_system.reporting.run_warnings import result_warnings
from dcase_system.reporting.tables import as_markdown, escaped

MODEL_CARD = "model_card.md"
_NO_UNKNOWN = (
    "It predicts one of its classes for any sound, including silence and speech: there is no class "
    "for unknown sounds."
)
_LIMITS = (
    "Probabilities computed from its logits are not calibrated; compare them with each other, not "
    "with a risk.",
    "Accuracy is lower on microphones not seen in training: see the device groups.",
    "Clips of one recording resemble each other; the intervals resample whole recordings.",
)


def write_model_card(folder: Path, edge: str = "edge/", warnings: Sequence[str] = ()) -> Path:
    """Writes `model_card.md`, with scores for a run and without for exported files alone.

    Args:
        folder: Run directory, or a folder with exported files.
        edge: Location of the exported files in it.
        warnings: Warnings about the training and test clips, one per line.

    Returns:
        The path of the card.
    """
    path = folder / MODEL_CARD
    cards = [
        read_document(folder, f"{edge}{found.name}")
        for found in sorted((folder / edge).glob("student_*.json"))
    ]
    write_text(path, "\n".join(_lines(folder, cards, warnings)))
    return path


def _lines(folder: Path, cards: Sequence[Document], warnings: Sequence[str]) -> Iterator[str]:
    run = read_run(folder)
    card = cards[0] if cards else Document("")
    labels = card.texts("contract", "labels")
    rate = card.number("contract", "front_end", "sample_rate", spec=",")
    samples = card.number("contract", "samples")
    channels = card.get("contract", "channels")
    yield f"# Model card: {escaped(folder.resolve().name)}\n"
    yield "A classifier of short recordings for small devices.\n"
    yield "## Input and output\n"
    if rate and rate.value and samples:
        yield (
            f"Input: windows of {samples.value / rate.value:g} s at {rate} samples a second, "
            f"{channels} channel{'s' if channels != 1 else ''}. Output: a logit for each of:\n"
        )
    yield f"{escaped(', '.join(labels)) or 'no classes are known'}.\n"
    yield from _way_to_probabilities(cards)
    yield "## Files\n"
    yield as_markdown(_files(cards))
    yield "Each file is self-contained; run it with\n"
    yield "`python -m dcase_system.edge.classify FILE CLIP...`.\n"
    yield "## Accuracy\n"
    if run.scores.names("forms"):
        yield "On the dev-test clips, scored once; they were not used for any choice.\n"
        if context := accuracy_context(run):
            yield f"Submitted variant: {plain(context)}.\n"
        yield from (f"{plain(note.text)}\n" for note in rejection_notes(run))
        parts = [part_table(run, "device_group"), part_table(run, "scene")]
        for table in (variants_table(run), *([label_table(run)] if run.several_labels else parts)):
            if table.rows:  # networks from a search have no device groups
                yield as_markdown(table)
    else:
        yield "Not measured with these files.\n"
    yield "## Limitations\n"
    if not run.several_labels and not rejects(run):
        yield f"- {_NO_UNKNOWN}"
    yield from (f"- {limit}" for limit in _LIMITS)
    yield from (f"- {escaped(warning)}." for warning in warnings)
    yield from (f"- {escaped(note.text)}" for note in result_warnings(run))
    yield "\n## Training\n"
    settings = run.config.names("settings")
    if settings:
        split, seed = (run.config.get("settings", *at) for at in (("split",), ("plan", "seed")))
        taught = "with teachers" if run.config.get("settings", "teachers") else "on labels only"
        commit = run.config.get("code", "commit") or "unknown"
        yield f"{escaped(run.described)}, split{split}, {taught}, seed {seed}; commit {commit}."
        yield "`config.json` has the rest.\n"
    else:
        yield "See the run that these files were exported from.\n"


def _way_to_probabilities(cards: Sequence[Document]) -> Iterator[str]:
    meaning = next((text for card in cards if (text := card.get("output", "meaning"))), None)
    if meaning is None:
        return
    yield f"The output holds {escaped(str(meaning))}. The SavedModel's output is the same.\n"
    if any(card.number("output", "scale") for card in cards):
        yield (
            "If an output is quantized, a logit is scale * (stored value - zero point), with the "
            "numbers in the table.\n"
        )


def _gives(card: Document) -> str | None:
    """Returns the type of a file's output and, if quantized, its scale and zero point."""
    kind = card.get("output", "type")
    # Enough digits to distinguish any two single-precision numbers.
    scale = card.number("output", "scale", spec=".9g")
    if scale is None:
        return kind and str(kind)
    return f"{kind}, scale {scale}, zero point {card.number('output', 'zero_point', spec='.0f')}"


def _quantised(card: Document) -> str | None:
    """Returns how a file was quantized and, of int8 activations, by how many clips."""
    how = card.get("quantised")
    clips = card.number("calibration_clips", spec=",")
    return how and (f"{how}, {clips} clips" if clips is not None else str(how))


def _files(cards: Sequence[Document]) -> Table:
    return Table(
        "files",
        "Exported files",
        (
            "file",
            "numbers",
            "input",
            "output",
            "quantized",
            "TensorFlow Lite from",
            "bytes",
            "SHA-256",
        ),
        [
            (
                str(card.get("file")),
                str(card.get("format")),
                str(card.get("takes")),
                _gives(card),
                _quantised(card),
                card.get("least_tensorflow_lite") and str(card.get("least_tensorflow_lite")),
                card.number("bytes", spec=","),
                str(card.get("sha256")),
            )
            for card in cards
        ],
    )
