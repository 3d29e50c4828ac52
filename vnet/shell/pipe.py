"""Pipes in the lines of ``vnet shell -c``, as at the prompt: ``dump-flows br0 | grep icmp``.

What stands behind the bar is a line for the computer's own shell.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO

_PIPED = re.compile(
    r"""((?:[^'"\\] | \\. | '[^']*' | "(?:[^"\\] | \\.)*")*?)  # what is quoted has no bars
        \s\|(?!\|)\s*(\S.*)""",
    re.DOTALL | re.VERBOSE,
)


def run_piped(execute: Callable[[str], int], line: str) -> int:
    """Have ``execute`` run ``line``, or what stands before its first bar; returns the exit code.

    As in a shell, that of a pipe is its last command's, if the first went well.
    """
    piped = _PIPED.fullmatch(line)
    if piped is None:
        return execute(line)
    with redirect_stdout(StringIO()) as said:
        code = execute(piped[1])
    sys.stdout.flush()
    ended = subprocess.run(piped[2], shell=True, input=said.getvalue(), text=True, check=False)
    return code or ended.returncode
