"""What iptables says when it does not do what it was asked, and what it then exits with."""

from __future__ import annotations

from dataclasses import dataclass

from vnet.base.errors import UsageError

VERSION = "1.8.9 (nf_tables)"

FAILED = 1
BAD_PARAMETER = 2
BAD_VERSION = 3
REFUSED = 4


class XtablesError(UsageError):
    """What is wrong, in the tool's words and without its name; ``status`` is its exit code."""

    def __init__(self, message: str, status: int = BAD_PARAMETER) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.printed = ""
        """What the tool has printed before, for ``-v``."""

    def told_by(self, program: str, line: int | None = None) -> str:
        """All that the program writes; ``line`` is that of the text it restores from."""
        text = f"{program} v{VERSION}: {self.message}\n"
        return text + self._advice(program, line)

    def _advice(self, program: str, line: int | None) -> str:
        where = "" if line is None else f"Error occurred at line: {line}\n"
        if self.status == BAD_PARAMETER:
            return f"{where}Try `{program} -h' or '{program} --help' for more information.\n"
        if self.status == BAD_VERSION:
            return f"Perhaps {program} or your kernel needs to be upgraded.\n"
        return ""


class BadArgumentError(XtablesError):
    """A word that is no option's; the tool does not name itself then."""

    def __init__(self, word: str) -> None:
        super().__init__(f"Bad argument `{word}'")

    def told_by(self, program: str, line: int | None = None) -> str:
        return f"{self.message}\n" + self._advice(program, line)


class OtherFamilyError(XtablesError):
    """``-4`` for ip6tables or ``-6`` for iptables, of which they say nothing."""

    def __init__(self) -> None:
        super().__init__("it is for the other family")

    def told_by(self, program: str, line: int | None = None) -> str:
        return self._advice(program, line)


class MissingError(XtablesError):
    """What the words name is not there, or is there already (exit code 1). ``more`` is said of a
    command, and not of a line of a text."""

    def __init__(self, message: str, more: str = "") -> None:
        super().__init__(message, FAILED)
        self._more = more

    def told_by(self, program: str, line: int | None = None) -> str:
        if line is None:
            return f"{program}: {self.message}.{self._more}\n"
        return f"{program}: line {line} failed: {self.message}.\n"


class RefusedError(XtablesError):
    """The kernel's answer to one request (exit code 4)."""

    def __init__(self, request: str, answer: str, about: str) -> None:
        super().__init__(f"{request} failed ({answer}): {about}", REFUSED)

    def told_by(self, program: str, line: int | None = None) -> str:
        where = " " if line is None else f"\nline {line}: "
        return f"{program} v{VERSION}: {where}{self.message}\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a program writes, and how it exits."""

    out: str = ""
    err: str = ""
    status: int = 0


NO_SUCH_NAME = "No chain/target/match by that name"
INVALID_ARGUMENT = "Invalid argument"
TOO_MANY_LINKS = "Too many links"
BUSY = "Device or resource busy"
