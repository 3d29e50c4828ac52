"""Matches and targets: one class each says how it is read, written in every way, and what it does.

What is read is a frozen description: two rules are the same if their descriptions are equal. To
run, it is made into a function (``test``, ``act``), which may keep state.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from vnet.linux.netfilter.hooks import Hook
from vnet.linux.netfilter.packet import NfPacket
from vnet.linux.netfilter.verdict import Verdict
from vnet.linux.netfilter.xtables.errors import XtablesError
from vnet.linux.netfilter.xtables.option import Given, Option

if TYPE_CHECKING:
    from typing import Self

    from vnet.linux.netfilter.netfilter import Netfilter

Test = Callable[[NfPacket], bool]
"""Whether a packet is one that is meant."""

Act = Callable[[NfPacket], "Verdict | None"]
"""Do something with a packet; None goes on with the next rule."""

FAMILIES = (4, 6)


class Extension:
    """What matches and targets have in common.

    ``NAME`` is what ``-m`` or ``-j`` says, ``FAMILIES`` which of 4 and 6 know it, ``PROTOCOL``
    which one a rule must be for (0: any). ``TABLES`` and ``HOOKS`` say where it may stand (None:
    anywhere). ``TRACKS`` says that connections must be known for it.
    """

    __slots__ = ()

    NAME: ClassVar[str]
    OPTIONS: ClassVar[tuple[Option, ...]] = ()
    FAMILIES: ClassVar[tuple[int, ...]] = FAMILIES
    PROTOCOL: ClassVar[int] = 0
    TABLES: ClassVar[tuple[str, ...] | None] = None
    HOOKS: ClassVar[tuple[Hook, ...] | None] = None
    TRACKS: ClassVar[bool] = False

    @classmethod
    def read(cls, given: Given) -> Self:
        """The description of what was given. Raises :class:`XtablesError`."""
        raise NotImplementedError

    def saved(self) -> str:
        """Its options, as ``iptables-save`` writes them."""
        raise NotImplementedError

    def shown(self, *, numeric: bool) -> str:
        """As ``iptables -L`` shows it."""
        raise NotImplementedError

    def nft(self) -> str | None:
        """As ``nft list ruleset`` shows it; None where nft has no words for it."""
        return None

    def needed_protocol(self) -> int:
        """The protocol that its rule must be for (0: any)."""
        return self.PROTOCOL

    def may_stand(self, table: str, hooks: frozenset[Hook]) -> bool:
        """Whether the kernel takes it in a chain of ``table`` that packets reach from ``hooks``."""
        in_table = self.TABLES is None or table in self.TABLES
        return in_table and (self.HOOKS is None or hooks <= frozenset(self.HOOKS))


class Match(Extension):
    """What is asked of a packet. ``PER_FLOW`` says that the answer is the same for each packet of a
    flow that was answered and neither begins nor ends (TCP: those with ACK and perhaps PSH)."""

    __slots__ = ()

    PER_FLOW: ClassVar[bool] = False

    @property
    def is_per_flow(self) -> bool:
        """The same, of this match as it is."""
        return self.PER_FLOW

    @property
    def is_void(self) -> bool:
        """Whether it is lost where rules are put into nftables' own words: it asks for nothing."""
        return False

    @property
    def saved_name(self) -> str:
        """What is saved behind ``-m``."""
        return self.NAME

    def test(self, netfilter: Netfilter) -> Test:
        """What answers for packets of one machine."""
        raise NotImplementedError


class Target(Extension):
    """What becomes of a packet."""

    __slots__ = ()

    @property
    def saved_name(self) -> str:
        """What is saved behind ``-j``."""
        return self.NAME

    @property
    def shown_name(self) -> str:
        """What stands in the column of targets."""
        return self.NAME

    def act(self, netfilter: Netfilter) -> Act:
        """What does it to packets of one machine."""
        raise NotImplementedError

    def noted(self, packet: NfPacket) -> str:  # noqa: ARG002
        """What a packet's trace says that was done, besides what was changed."""
        return ""


def negation(negated: bool) -> str:
    """``! `` in front of an option that is negated."""
    return "! " if negated else ""


def check_options(extension: type[Extension], given: Given) -> None:
    """Hold what was given against what the options ask for. Raises :class:`XtablesError`."""
    name = extension.NAME
    for option in extension.OPTIONS:
        if option.name not in given.values:
            if option.required:
                raise XtablesError(f'{name}: option "--{option.name}" must be specified\n')
            continue
        for other in option.excludes:
            if other in given.values and other != option.name:
                raise XtablesError(
                    f'{name}: option "--{option.name}" cannot be used together with "--{other}".\n'
                )
        for other in option.needs:
            if other not in given.values:
                raise XtablesError(f'{name}: option "--{option.name}" also requires "--{other}".\n')
