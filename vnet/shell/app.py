"""The entry of ``vnet shell``: run commands and end, or sit down at a prompt."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial

from vnet.base.errors import EXIT_EXPECTATION_FAILED, EXIT_HELD, VnetError
from vnet.base.text import printable
from vnet.lab.lab import Lab
from vnet.shell.context import ShellContext
from vnet.shell.dispatch import run_line
from vnet.shell.output import Failed, write
from vnet.shell.pipe import run_piped


def run_shell(lab: Lab, commands: Sequence[str]) -> int:
    """Run ``commands`` in order on ``lab``, or a prompt when there are none.

    Returns the exit code: that of the first command that fails, at which the rest is left
    undone; 0 when all went well, and at the end of a session at the prompt.
    """
    context = ShellContext(lab)
    if not commands:
        from vnet.shell.interactive import PromptShell

        return PromptShell(context).session()
    for line in commands:
        code = run_piped(partial(execute, context), line)
        if code != EXIT_HELD or context.ended:
            return code
    return EXIT_HELD


def execute(context: ShellContext, line: str) -> int:
    """Run one line, print what comes of it, and return its exit code.

    An error is one message on standard error. Ctrl-C passes through.
    """
    try:
        output = run_line(context, line)
    except VnetError as error:
        sys.stdout.flush()
        sys.stderr.write(printable(str(error)) + "\n")
        return error.exit_code
    write(output, sys.stdout)
    return EXIT_EXPECTATION_FAILED if isinstance(output, Failed) else EXIT_HELD
