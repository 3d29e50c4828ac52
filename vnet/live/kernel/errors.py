"""What can go wrong between a lab and the kernel of this machine."""

from __future__ import annotations

from vnet.base.errors import EXIT_EXPECTATION_FAILED, EXIT_FAILURE, VnetError


class KernelError(VnetError):
    """This machine cannot do it, or the kernel has refused it."""

    exit_code = EXIT_FAILURE


class NotAsExpectedError(VnetError):
    """A lab is up that should not be, or is just being made."""

    exit_code = EXIT_EXPECTATION_FAILED
