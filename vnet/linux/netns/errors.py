"""What the kernel answers to a change that it refuses, in the words of iproute2."""

from __future__ import annotations

from vnet.base.errors import UsageError


class RtnetlinkError(UsageError):
    """A refused change. ``answer`` is what ``ip`` prints for it."""

    def __init__(self, node: str, answer: str, hint: str = "") -> None:
        super().__init__(f"{node}: {answer}", hint)
        self.answer = answer


FILE_EXISTS = "RTNETLINK answers: File exists"
INVALID_ARGUMENT = "RTNETLINK answers: Invalid argument"
NO_SUCH_PROCESS = "RTNETLINK answers: No such process"
NO_SUCH_FILE = "RTNETLINK answers: No such file or directory"
