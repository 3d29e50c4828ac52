"""Steps for bridges of Open vSwitch, once they are checked.

``bridge`` None is the switch ``node`` itself, else one of the host ``node``. Texts are kept as they
are written: ports that they call by name may have come by another number when their time is there.
"""

from __future__ import annotations

from dataclasses import dataclass

from vnet.topology.steps import Step


@dataclass(frozen=True, slots=True)
class OvsStep(Step):
    """Something about one bridge."""

    node: str
    bridge: str | None

    @property
    def switch(self) -> str:
        """The bridge as the file names it."""
        return self.node if self.bridge is None else f"{self.node}:{self.bridge}"


@dataclass(frozen=True, slots=True)
class Changes:
    """What goes, what changes and what comes, in this order, each text as ovs-ofctl takes it."""

    delete: tuple[str, ...] = ()
    modify: tuple[str, ...] = ()
    add: tuple[str, ...] = ()
    is_strict: bool = False

    def __str__(self) -> str:
        """``-2 ~1 +3``, and nothing where nothing changes."""
        counts = (("-", self.delete), ("~", self.modify), ("+", self.add))
        return "".join(f" {sign}{len(texts)}" for sign, texts in counts if texts)


@dataclass(frozen=True, slots=True)
class FlowsStep(OvsStep):
    """Reports the flows that ``match`` selects."""

    changes: Changes
    match: str = ""

    @property
    def title(self) -> str:
        return f"flows {self.switch}{self.changes} {self.match}".rstrip()


@dataclass(frozen=True, slots=True)
class GroupsStep(OvsStep):
    """Reports ``group``, or all."""

    changes: Changes
    group: int | None = None

    @property
    def title(self) -> str:
        return _numbered(f"groups {self.switch}{self.changes}", self.group)


@dataclass(frozen=True, slots=True)
class MetersStep(OvsStep):
    """Reports ``meter``, or all."""

    changes: Changes
    meter: int | None = None

    @property
    def title(self) -> str:
        return _numbered(f"meters {self.switch}{self.changes}", self.meter)


@dataclass(frozen=True, slots=True)
class TablesStep(OvsStep):
    """Reports ``table``, or all."""

    table: int | None = None

    @property
    def title(self) -> str:
        return _numbered(f"tables {self.switch}", self.table)


@dataclass(frozen=True, slots=True)
class MegaflowsStep(OvsStep):
    """Reports the datapath flows whose lines have ``matching`` in them."""

    matching: str = ""

    @property
    def title(self) -> str:
        return f"megaflows {self.switch} {self.matching}".rstrip()


@dataclass(frozen=True, slots=True)
class BondStep(OvsStep):
    """Reports the state of the bond ``port``."""

    port: str

    @property
    def title(self) -> str:
        return f"bond {self.switch} {self.port}"


def _numbered(title: str, number: int | None) -> str:
    return title if number is None else f"{title} {number}"
