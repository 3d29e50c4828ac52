"""What is asked of iptables, and what must not be asked together."""

from __future__ import annotations

from dataclasses import dataclass, field

from vnet.linux.netfilter.rule import Description
from vnet.linux.netfilter.targets.table import is_target
from vnet.linux.netfilter.xtables.errors import XtablesError

MOST_NAME_CHARACTERS = 29
_OPTIONS = "nsdpjvxio0cf"
_ILLEGAL = {
    **dict.fromkeys("IRA", "nx0"),
    **dict.fromkeys("DC", "nx0c"),
    "L": "sdpjiocf",
    "P": "nsdpjxio0f",
    **dict.fromkeys("FZNXES", "nsdpjxio0cf"),
}
"""Options that a command has no use for. ``D`` with a number is like the last ones."""


@dataclass(slots=True)
class Command:
    """What is asked for. ``actions`` has the letters, the first first; ``notices`` are lines that
    the tool writes although nothing is wrong."""

    family: int
    table: str = "filter"
    actions: str = ""
    chain: str | None = None
    number: int | None = None
    new_name: str = ""
    policy: str = ""
    options: str = ""
    verbosity: int = 0
    counters: tuple[int, int] = (0, 0)
    descriptions: tuple[Description, ...] = ()
    notices: list[str] = field(default_factory=list)
    special: str = ""
    """``V`` or ``h`` where the version or help is asked for."""

    @property
    def action(self) -> str:
        return self.actions[:1]

    def has(self, letter: str) -> bool:
        return letter in self.options


def check_options_of(command: Command) -> None:
    """Whether the commands have any use for the options. Raises :class:`XtablesError`."""
    for letter in _OPTIONS:
        if command.has(letter) and all(letter in _illegal(command, a) for a in command.actions):
            raise XtablesError(f"Illegal option `-{letter}' with this command")


def _illegal(command: Command, action: str) -> str:
    if action == "D" and command.number is not None:
        return _ILLEGAL["F"]
    return _ILLEGAL[action]


def check_chain_of(command: Command) -> None:
    """Whether the chain may be called so, and knows the devices. Raises :class:`XtablesError`."""
    chain = command.chain
    if chain is not None and len(chain) >= MOST_NAME_CHARACTERS:
        raise XtablesError(
            f"chain name `{chain}' too long (must be under {MOST_NAME_CHARACTERS} chars)"
        )
    if command.action not in "ADCIR":
        return
    for letter, chains in (("o", ("PREROUTING", "INPUT")), ("i", ("POSTROUTING", "OUTPUT"))):
        if chain in chains and command.has(letter):
            raise XtablesError(f"Can't use -{letter} with {chain}\n")


def check_chain_name(name: str, family: int) -> None:
    """Whether a chain may be called so. Raises :class:`XtablesError`."""
    if len(name) >= MOST_NAME_CHARACTERS:
        raise XtablesError(
            f"chain name `{name}' too long (must be under {MOST_NAME_CHARACTERS} chars)"
        )
    if name[:1] in ("-", "!"):
        raise XtablesError(f"chain name not allowed to start with `{name[0]}'")
    # Without a name it would have that of the target that does nothing. (The real tool renames a
    # chain to that all the same, and cannot read then what it saved.)
    if not name or is_target(name, family):
        raise XtablesError("chain name may not clash with target name")
    if any(c.isspace() for c in name):
        raise XtablesError(f"Invalid chain name `{name}'")
