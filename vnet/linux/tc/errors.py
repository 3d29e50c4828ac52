"""What tc says when it does not do what it was asked."""

from __future__ import annotations

from vnet.base.errors import UsageError


class TcError(UsageError):
    """The tool's own words, or the kernel's, over one line or several."""


class KernelError(TcError):
    """What was asked can be read, but not be done."""


def refused(what: str) -> TcError:
    """The kernel refuses with a reason."""
    return KernelError(f"Error: {what}.")


def answered(what: str) -> TcError:
    """The kernel refuses with the number of an error, and no reason."""
    return KernelError(f"RTNETLINK answers: {what}")


def wrong(value: str, what: str) -> TcError:
    """A word that cannot be read where it stands."""
    return TcError(f'Error: argument "{value}" is wrong: {what}')


def twice(key: str, value: str) -> TcError:
    """A keyword that may stand once."""
    return TcError(f'Error: duplicate "{key}": "{value}" is the second value.')
