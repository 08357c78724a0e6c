"""How every command ends: one line for a fault of the input or the machine, never a traceback."""

import logging
import os
import sys
from collections.abc import Callable, Sequence

from absl import app
from absl import logging as absl_logging

from dcase_system.errors import InputError

INTERRUPTED = 130  # what a shell reports for a program stopped by Ctrl-C


def run(main: Callable[[Sequence[str]], int | None], *, takes_arguments: bool = False) -> None:
    """Runs an absl main; a wrong input or a full disk ends in one line and exit status 1.

    Args:
        main: of the command.
        takes_arguments: whether it takes arguments beside its flags.
    """

    def guarded(argv: Sequence[str]) -> int | None:
        if len(argv) > 1 and not takes_arguments:
            return _fail(f"unexpected argument {argv[1]!r}; flags are written --name=value", 1)
        try:
            return main(argv)
        except InputError as error:
            return _fail(str(error), 1)
        except BrokenPipeError:
            # Who read the output has enough (`| head`); nothing is left to say it to.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            return _fail(place + " ".join((error.strerror or str(error)).split()), 1)
        except KeyboardInterrupt:
            return _fail("interrupted; the same command goes on where it stopped", INTERRUPTED)

    _set_up_logging()
    app.run(guarded)


def _set_up_logging() -> None:
    """Shows the package's own messages; of TensorFlow's only errors."""
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
