"""Run directories and their stages."""

from dcase_system.runs.directory import (
    CONFIG,
    FORMAT,
    begun,
    check,
    join,
    only_one,
)

__all__ = ["CONFIG", "FORMAT", "begun", "check", "join", "only_one"]
