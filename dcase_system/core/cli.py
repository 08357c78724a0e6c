"""Start and end of every command: `--help`, and one-line errors instead of tracebacks."""

import gc
import logging
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from absl import app, flags
from absl import logging as absl_logging

from dcase_system.core import interrupts
from dcase_system.core.errors import Dismissed, InputError
from dcase_system.core.files import is_temporary
from dcase_system.core.folders import file_in_the_way
from dcase_system.core.help import Defaults, asked_for, is_required, page
from dcase_system.core.process_group import end_with_parent
from dcase_system.core.storage import needs_hard_exit

# New objects between two runs of Python's garbage collector. With the default of 700, a short
# command spends a tenth of its time visiting the objects of TensorFlow's modules and traces.
_GC_OBJECTS = 20_000

# How Python's `int` and `float` word it.
_NO_NUMBER = re.compile(
    r"invalid literal for int\(\) with base 10: .*|could not convert .* float: .*"
)


def run(
    main: Callable[[Sequence[str]], int | None],
    other_defaults: Defaults | None = None,
    *,
    takes_arguments: bool = False,
) -> None:
    """Runs the absl main of a module; invalid input or a full disk gives one line and status 1.

    Args:
        main: Main function of the command.
        other_defaults: Defaults that `--help` shows beside those of the flags, see `help.page`.
        takes_arguments: Whether the command takes arguments beside its flags.
    """

    def guarded(argv: Sequence[str]) -> int | None:
        try:
            interrupts.begin_work(f"error: interrupted; {_how_to_go_on()}")
            if len(argv) > 1 and not takes_arguments:
                raise app.UsageError(
                    f"unexpected argument {argv[1]!r}; flags are written --name=value"
                )
            return main(argv)
        except app.UsageError as error:
            return _fail(f"{error} (see --help)", 1)
        except Dismissed as reason:
            logging.getLogger("dcase_system").info("%s", reason)
            return 0
        except InputError as error:
            return _fail(str(error), 1)
        except BrokenPipeError:
            # Downstream closed the pipe (`| head`): exit quietly.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except OSError as error:
            return _fail(_reason(error), 1)
        except KeyboardInterrupt:
            sys.stdout.flush()
            interrupts.end()

    def ended(argv: Sequence[str]) -> int | None:
        status = guarded(argv)
        if needs_hard_exit():
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status or 0)
        return status

    interrupts.watch()
    end_with_parent()
    gc.set_threshold(_GC_OBJECTS)
    if asked_for(sys.argv[1:]):
        print(page(sys.modules["__main__"].__doc__ or "", other_defaults or {}))
        return
    _set_up_logging()
    app.run(ended, flags_parser=_parsed)


def _parsed(argv: Sequence[str]) -> list[str]:
    """Parses the flags and returns the other arguments; exits if a flag is wrong."""
    try:
        return flags.FLAGS(argv)
    except flags.Error as error:
        message = " ".join(_NO_NUMBER.sub("expected a number", str(error)).split())
        if flags.FLAGS.is_parsed():  # a value is invalid or missing
            given = [flags.FLAGS[name] for name in flags.FLAGS]
            absent = [f"--{one.name}" for one in given if one.value is None and is_required(one)]
            message = f"missing {', '.join(absent)}" if absent else message
        sys.exit(_fail(f"{message} (see --help)", 1))


def _reason(error: OSError) -> str:
    """Says in one line what the system refused, and what to give instead of a file."""
    if isinstance(error, FileExistsError | NotADirectoryError) and error.filename:
        file = file_in_the_way(Path(os.fsdecode(error.filename)))
        if file is not None:
            return str(InputError("is a file", where=file, expected="a folder"))
    place = ""
    if error.filename:
        path = Path(os.fsdecode(error.filename))
        # A user knows the folder, not the temporary name in it.
        place = f"{path.parent if is_temporary(path) else path}: "
    return place + " ".join((error.strerror or str(error)).split())


def _how_to_go_on() -> str:
    """Says how to resume an interrupted command."""
    overwrites = "overwrite" in flags.FLAGS and flags.FLAGS["overwrite"].value
    again = "the same command without --overwrite" if overwrites else "the same command"
    return f"{again} resumes where it stopped"


def _set_up_logging() -> None:
    """Shows the package's own messages, and only errors of TensorFlow."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    own = logging.getLogger("dcase_system")
    own.setLevel(logging.INFO)
    own.addHandler(handler)
    own.propagate = False
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    absl_logging.set_verbosity(absl_logging.WARNING)


def _fail(message: str, status: int) -> int:
    print(f"error: {message}", file=sys.stderr)
    return status
