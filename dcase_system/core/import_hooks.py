"""Does something around the first import of a package, without importing it now."""

import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

Around = Callable[[Callable[[], None], ModuleType], None]
"""Takes a function that executes the module, and the module; calls the function once."""


def at_import(name: str, around: Around) -> None:
    """Has `around` execute a module when it is imported.

    Args:
        name: Name of a module that is not imported yet.
        around: See `Around`.
    """
    sys.meta_path.insert(0, _Finder(name, around))


class _Finder:
    """Finds the module through the other finders."""

    def __init__(self, name: str, around: Around):
        self._name, self._around = name, around

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != self._name:
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        found = (finder.find_spec(name, path, target) for finder in others)
        spec = next((spec for spec in found if spec is not None), None)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def executed(module: ModuleType) -> None:
                self._around(lambda: execute(module), module)

            spec.loader.exec_module = executed  # type: ignore[method-assign]
        return spec
