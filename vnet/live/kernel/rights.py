"""Whether this machine may be asked for labs on its kernel; imports on any system."""

from __future__ import annotations

import os
import sys

from vnet.live.kernel.errors import KernelError


def check_machine() -> None:
    """Raise :class:`KernelError` unless this is Linux, and we may make namespaces."""
    if sys.platform != "linux":
        raise KernelError("--kernel builds labs on Linux only", "`vnet run` needs no kernel at all")
    if os.geteuid() != 0:
        raise KernelError(
            "--kernel needs root, for network namespaces", "run it with sudo, or use `vnet run`"
        )
