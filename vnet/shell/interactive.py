"""The rim: a prompt with history and completion, by cmd2.

cmd2 reads lines, keeps history, pipes and redirects output; everything that a command is
comes from the registry. cmd2 finds commands as attributes ``do_<name>``, so one is set for
each command and each node, and its own commands (run a script, a shell, an editor) are taken
away: this prompt controls a lab and nothing else of the computer.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import cmd2

from vnet.base.errors import EXIT_HELD
from vnet.base.text import printable
from vnet.shell.app import execute
from vnet.shell.context import ShellContext
from vnet.shell.dispatch import complete
from vnet.shell.openvswitch import shorthands, tool_commands, tool_of
from vnet.shell.registry import COMMANDS, NodeUse

_INTRO = "`help` lists the commands, Tab completes, `quit` or Ctrl-D ends."


class PromptShell(cmd2.Cmd):
    """A session at the prompt. ``stdin`` defaults to the terminal's."""

    def __init__(self, context: ShellContext, **streams: Any) -> None:
        super().__init__(allow_cli_args=False, shortcuts={}, **streams)
        self._context = context
        for name in self.get_all_commands():
            setattr(self, f"do_{name}", None)
        for name in [*COMMANDS.names, *context.node_names, *shorthands(context)]:
            setattr(self, f"do_{name}", self._command(name))
            setattr(self, f"complete_{name}", self._complete)
        setattr(self, "do__eof", self._end_of_file)  # noqa: B010  (mypy: a method of the base)
        self._show_time()

    def session(self) -> int:
        """Read and run lines until ``quit`` or the end of the input."""
        if self.stdin.isatty():
            self.poutput(_INTRO)
        self.cmdloop()
        return EXIT_HELD

    def _command(self, name: str) -> Callable[[Any], bool]:
        def run(statement: Any) -> bool:
            return self._run(statement.command_and_args)

        known = COMMANDS.get(name)
        typed = known is not None and known.node is not NodeUse.PREFIX
        run.__doc__ = known.summary if known and typed else f"run a command on {printable(name)}"
        tool = None if known or self._context.is_node(name) else tool_of(name)
        if tool is not None:
            run.__doc__ = tool_commands(tool)[name][1] or f"as {tool}(8) has it"
        return run

    def default(self, statement: Any) -> bool | None:
        """A line that begins with no command and no node: the error comes from dispatch."""
        return self._run(statement.command_and_args)

    def _run(self, line: str) -> bool:
        # cmd2 redirects and pipes by exchanging its own stdout; commands print to sys.stdout.
        before, sys.stdout = sys.stdout, self.stdout
        try:
            execute(self._context, line)
        except KeyboardInterrupt:
            sys.stderr.write("interrupted; the lab stands where it was\n")
        finally:
            sys.stdout = before
            self._show_time()
        return self._context.ended

    def _show_time(self) -> None:
        self.prompt = self._context.prompt

    def _end_of_file(self, _statement: Any) -> bool:
        if self.stdin.isatty():
            self.poutput("")
        return True

    def _complete(self, text: str, line: str, begidx: int, endidx: int) -> Any:
        words = complete(self._context, line[:begidx].split(), text)
        return self.basic_complete(text, line, begidx, endidx, words)
