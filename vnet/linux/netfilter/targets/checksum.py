"""``-j CHECKSUM``: fill in what a card was to fill in (net/netfilter/xt_CHECKSUM.c)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vnet.linux.netfilter.netfilter import Netfilter
from vnet.linux.netfilter.xtables.errors import XtablesError
from vnet.linux.netfilter.xtables.extension import Act, Target
from vnet.linux.netfilter.xtables.option import Given, Option


@dataclass(frozen=True, slots=True)
class ChecksumTarget(Target):
    """What old DHCP clients need, which look at checksums that nobody has filled in yet.

    No card here leaves one open, so that there is nothing to fill in.
    """

    NAME: ClassVar[str] = "CHECKSUM"
    TABLES: ClassVar[tuple[str, ...] | None] = ("mangle",)
    OPTIONS: ClassVar[tuple[Option, ...]] = (Option("checksum-fill"),)

    @classmethod
    def read(cls, given: Given) -> ChecksumTarget:
        if "checksum-fill" not in given.values:
            raise XtablesError('CHECKSUM: option "--checksum-fill" must be specified')
        return cls()

    def saved(self) -> str:
        return "--checksum-fill"

    def shown(self, *, numeric: bool) -> str:  # noqa: ARG002
        return "CHECKSUM fill"

    def act(self, netfilter: Netfilter) -> Act:  # noqa: ARG002
        return lambda _packet: None
