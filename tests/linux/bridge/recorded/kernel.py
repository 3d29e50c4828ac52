"""What both recorders ask of the kernel of this machine, and how they keep its answers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar


class Named(Protocol):
    """A case."""

    @property
    def name(self) -> str: ...


CaseT = TypeVar("CaseT", bound=Named)


def run(command: str) -> str:
    """What a command says, on either of its streams."""
    done = subprocess.run(command.split(), capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def run_in(namespace: str, command: str) -> str:
    return run(f"ip netns exec {namespace} {command}")


def add_namespace(namespace: str) -> None:
    """One in which nothing speaks IPv6 by itself."""
    run(f"ip netns add {namespace}")
    for scope in ("all", "default"):
        run_in(namespace, f"sysctl -qw net.ipv6.conf.{scope}.disable_ipv6=1")


def keep(
    path: Path, cases: Sequence[CaseT], names: list[str], record: Callable[[CaseT], list[Any]]
) -> None:
    """Record the named cases, or all, into a file that keeps the others."""
    known = json.loads(path.read_text()) if path.exists() else {}
    for case in cases:
        if not names or case.name in names:
            known[case.name] = record(case)
            sys.stdout.write(f"{case.name}: {len(known[case.name])} looks\n")
    path.write_text(json.dumps(known, indent=1) + "\n")
