"""What a network does with sounds of none of its classes."""

from collections.abc import Iterator

from dcase_system.reporting.content import Note
from dcase_system.reporting.run_files import Run


def rejects(run: Run) -> bool:
    """Whether a run has a class or a threshold for unknown sounds."""
    return bool(run.scores.names("rejection"))


def rejection_notes(run: Run) -> Iterator[Note]:
    """Yields a sentence on the class for unknown sounds, and one on the threshold and its cost."""
    at, scores = "rejection", run.scores
    rejected, accepted = (
        scores.number(at, "without", key) for key in ("rejections", "false_acceptances")
    )
    classes = " and ".join(scores.texts(at, "classes"))
    if classes and rejected and accepted:
        clips = scores.number(at, "without", "unknown_clips", spec=",")
        lost = scores.number(at, "without", "false_rejections")
        yield Note(
            [
                f"Of the test clips of {classes} (",
                *(clips or "unknown", ") ", rejected, " % are recognised as such and ", accepted),
                *(" % are taken for another class; of all other clips ", lost or "unknown"),
                f" % are taken for {classes}.",
            ]
        )
    threshold = scores.number(at, "threshold", spec=".3f")
    before, after, lost, rejected = (
        scores.number(at, *keys)
        for keys in (
            ("without", "accuracy"),
            ("with", "accuracy"),
            ("with", "false_rejections"),
            ("with", "rejections"),
        )
    )
    if threshold and before and after and lost:
        yield Note(
            [
                *("With the answer `unknown` below a probability of ", threshold),
                *(" (`classify --reject`), ", lost, " % of the test clips of known classes are "),
                *("rejected, and their accuracy is ", after, " % instead of ", before, " %"),
                *(["; of unknown sounds ", rejected, " % are rejected."] if rejected else ["."]),
            ]
        )
