"""What a node of a cluster does for a task; sent to it as it stands, so without this package."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path


def ask(folder: str, token: str) -> str:
    """What this node has: its code, and the first line of a file.

    Raises:
        ValueError: it does not have the package, or not the folder.
    """
    command = [sys.executable, "-m", "dcase_system.identity", token]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    except OSError as error:
        raise ValueError(f"{folder}: {error.strerror}") from None
    if done.returncode != 0:
        raise ValueError((done.stderr.strip().splitlines() or ["no reason given"])[-1])
    return done.stdout


def run(
    arguments: Sequence[str],
    folder: str,
    variables: Mapping[str, str | None],
    log: str,
    identity: Mapping[str, str],
) -> tuple[int, str, float]:
    """Runs a command; its exit status, the address of this node and the seconds it took.

    Args:
        arguments: of this node's Python interpreter.
        folder: to run it in.
        variables: of the environment; those that are None are taken out of it.
        log: where its output goes.
        identity: the code that is asked for; a node that has joined late was not looked at.

    Raises:
        ValueError: the node has other code.
    """
    import ray

    there = json.loads(ask(folder, os.devnull))["identity"]
    if there != identity:
        raise ValueError(f"other code or versions: {there}")
    begun = time.monotonic()
    environment = {**os.environ, **variables, "DCASE_PARENT": str(os.getpid())}
    with Path(log).open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=folder,
            env={name: value for name, value in environment.items() if value is not None},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            status = process.wait()
        finally:  # cancelled
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
    return status, ray.util.get_node_ip_address(), time.monotonic() - begun
