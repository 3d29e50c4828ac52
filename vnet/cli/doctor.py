"""``vnet doctor``: what this computer has that some features and tests can use."""

from __future__ import annotations

import os
import platform
import shutil
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

_LIBRARIES = (
    "scapy",
    "networkx",
    "pydantic",
    "ruamel.yaml",
    "click",
    "rich",
    "cmd2",
    "dnslib",
    "pyroute2",
)
_PROGRAMS = (
    ("tshark", "reads captures in tests and on the command line"),
    ("wireshark", "opens captures"),
    ("ovs-vsctl", "the switches of `vnet up` and `vnet ovs`, and interoperability tests"),
    ("ovs-appctl", "asks those switches what they do"),
    ("cc", "compiles optional fast parts"),
)


class Finding(NamedTuple):
    what: str
    present: bool
    detail: str


def examine() -> list[Finding]:
    """Look at the interpreter, the libraries, the programs and the rights."""
    findings = [
        Finding("Python", True, f"{platform.python_implementation()} {platform.python_version()}")
    ]
    for library in _LIBRARIES:
        try:
            findings.append(Finding(library, True, version(library)))
        except PackageNotFoundError:
            needed = "only on Linux, for nlmon captures" if library == "pyroute2" else "missing"
            findings.append(Finding(library, False, needed))
    for program, purpose in _PROGRAMS:
        found = shutil.which(program)
        findings.append(Finding(program, found is not None, found or f"not found: {purpose}"))
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    findings.append(
        Finding("root", root, "yes" if root else "no; only `vnet up --kernel` needs it")
    )
    return findings
