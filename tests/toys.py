"""A student that takes seconds to trace and train, for tests in which its size is not the point."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from dcase_system.models import cp_mobile, registry
from tests.small import shortened

NAME = "toy"


def toy_student() -> cp_mobile.CPMobileSpec:
    """SSCP-Mobile 16 with two of its blocks: one with a pooled shortcut, one that widens."""
    return shortened(partial(cp_mobile.sscp_mobile, 16))


@contextmanager
def registered() -> Iterator[None]:
    """Makes the toy an architecture by name."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(registry.ARCHITECTURES, NAME, toy_student)
        yield
