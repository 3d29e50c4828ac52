"""What a command says that fails, and its exit code."""

from __future__ import annotations

import os
import sys

from vnet.base.errors import EXIT_FAILURE, EXIT_INTERRUPTED, VnetError
from vnet.base.text import printable


def told(error: BaseException) -> int:
    """Say it, as one clear message; returns the exit code."""
    if isinstance(error, VnetError):
        _say(str(error))
        return error.exit_code
    if isinstance(error, KeyboardInterrupt):
        _say("interrupted; what was captured so far is complete")
        return EXIT_INTERRUPTED
    if isinstance(error, BrokenPipeError):
        # Whoever read our output has gone; there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    elif isinstance(error, OSError):
        _say(f"cannot go on: {printable(str(error))}")
    else:
        _say(f"internal failure: {type(error).__name__}: {printable(str(error))}")
        if os.environ.get("VNET_TRACEBACK"):
            import traceback

            traceback.print_exception(error)
        else:
            _say("please report it, with the output of VNET_TRACEBACK=1")
    return EXIT_FAILURE


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
