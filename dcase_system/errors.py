"""The one exception for anything handed in from outside that is not as expected."""


class InputError(ValueError):
    """Input from outside (a file, a row, a flag) is not what was expected.

    The message is one line and says what is wrong, where, what was expected and what was
    received, so that a command can print it as it is, without a traceback.
    """

    def __init__(
        self, what: str, *, where: object, expected: object = None, received: object = None
    ):
        parts = [f"{where}: {what}"]
        if expected is not None:
            parts.append(f"expected {expected}")
        if received is not None:
            parts.append(f"received {received}")
        super().__init__(" ".join("; ".join(parts).split()))
