"""A switch of ours that is set up by the very command lines that set up the real one.

Command lines of ``ovs-vsctl``, ``ovs-ofctl`` and ``ovs-appctl`` go to the code that is behind them
and not to the programs. Virtual time stands still unless a test moves it.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.dummy_switch import DummySwitch
from vnet.base.chance import Chance
from vnet.ovs.unixctl.table import CommandTable
from vnet.ovs.vswitchd.appctl.clock import VirtualClock, clock_commands
from vnet.ovs.vswitchd.appctl.dummies import DummyCommands
from vnet.ovs.vswitchd.appctl.table import VERSION, answer_of, switch_commands
from vnet.ovs.vswitchd.ofctl.command import Options
from vnet.ovs.vswitchd.ofctl.table import ofctl
from vnet.ovs.vswitchd.reconcile import Vswitchd


class Switch(DummySwitch):
    """A dummy switch that is set up by command lines."""

    def __init__(self, chance: Chance | None = None) -> None:
        super().__init__(chance)
        self.vswitchd.backer.underlay.set_host(self.dummies)
        vswitchd, dummies = self.vswitchd, DummyCommands(self.vswitchd, self.dummies)
        self._commands = CommandTable(VERSION)
        self._commands.register(
            *switch_commands(vswitchd),
            *switch_commands(vswitchd, dummies.commands()),
            *clock_commands(VirtualClock(self.scheduler)),
        )

    def run(self, argv: Sequence[str], lines: Sequence[str] = ()) -> str:
        """Carry out one command; ``lines`` are those of the file it names. Returns its output."""
        program, *words = argv
        if program == "ovs-vsctl":
            self.vsctl(*words)
            return ""
        if program == "ovs-ofctl":
            return self.ofctl(words, lines)
        assert program == "ovs-appctl", argv
        return self.appctl(words)

    def ofctl(self, words: Sequence[str], lines: Sequence[str] = ()) -> str:
        """``ovs-ofctl``; ``lines`` as for :meth:`run`."""
        return ofctl_output(self.vswitchd, words, lines)

    def appctl(self, words: Sequence[str]) -> str:
        """``ovs-appctl`` with ``words``. Who says ``exit`` needs it no more, and so it stays."""
        name, *arguments = words[2:] if words[0] == "-t" else words
        return "" if name == "exit" else answer_of(self._commands, name, arguments)


def ofctl_output(vswitchd: Vswitchd, words: Sequence[str], lines: Sequence[str] = ()) -> str:
    """What ``ovs-ofctl`` prints that is given ``words``, where ``lines`` are in the file that they
    name last."""
    options: list[str] = []
    rest = list(words)
    while rest[0].startswith("-"):
        options.append(rest.pop(0))
        if options[-1] == "-O":
            options.append(rest.pop(0))
    command, *given = rest
    if lines:
        given[-1] = "-"
    return ofctl(vswitchd, command, [*options, *given], Options(stdin="\n".join(lines)))
