"""All targets, by family and name."""

from __future__ import annotations

from vnet.linux.netfilter.targets.checksum import ChecksumTarget
from vnet.linux.netfilter.targets.header_changes import (
    DscpTarget,
    HlTarget,
    TosTarget,
    TtlTarget,
)
from vnet.linux.netfilter.targets.log import LogTarget, TraceTarget
from vnet.linux.netfilter.targets.marking import ConnmarkTarget, MarkTarget
from vnet.linux.netfilter.targets.reject import RejectTarget
from vnet.linux.netfilter.targets.tcpmss import TcpmssTarget
from vnet.linux.netfilter.targets.tracking import CtTarget, NotrackTarget
from vnet.linux.netfilter.targets.translating import (
    DnatTarget,
    MasqueradeTarget,
    NetmapTarget,
    RedirectTarget,
    SnatTarget,
)
from vnet.linux.netfilter.xtables.extension import Target

_ALL: tuple[type[Target], ...] = (
    ChecksumTarget,
    ConnmarkTarget,
    CtTarget,
    DnatTarget,
    DscpTarget,
    HlTarget,
    LogTarget,
    MarkTarget,
    MasqueradeTarget,
    NetmapTarget,
    NotrackTarget,
    RedirectTarget,
    RejectTarget,
    SnatTarget,
    TcpmssTarget,
    TosTarget,
    TraceTarget,
    TtlTarget,
)

VERDICTS = ("ACCEPT", "DROP", "RETURN")
"""Words that are targets without being extensions."""
POLICIES = ("ACCEPT", "DROP")


def target_names(family: int) -> list[str]:
    """What may stand behind ``-j`` besides chains, in order."""
    names = [target.NAME for target in _ALL if family in target.FAMILIES]
    return sorted([*names, *VERDICTS])


def find_target(name: str, family: int) -> type[Target] | None:
    """The target of a name; None where there is none."""
    return next((t for t in _ALL if name == t.NAME and family in t.FAMILIES), None)


def is_target(name: str, family: int) -> bool:
    """Whether no chain may be called so."""
    return name in VERDICTS or find_target(name, family) is not None
