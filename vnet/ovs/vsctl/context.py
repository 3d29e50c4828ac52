"""What the commands of one command line have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.ovsdb.atoms import Uuid
from vnet.ovs.ovsdb.base_type import BaseType
from vnet.ovs.vsctl.record import Record
from vnet.ovs.vsctl.switch import Switch
from vnet.ovs.vsctl.transaction import Transaction

_OF_SWITCH = {
    "Open_vSwitch": ("bridges",),
    "Bridge": ("name", "ports"),
    "Port": ("name", "interfaces", "tag", "fake_bridge"),
    "Interface": ("name",),
}
"""The columns that say which bridges, ports and interfaces there are."""


class Command(NamedTuple):
    """One command: its options by name, with their values, and its words."""

    options: Mapping[str, str | None]
    words: Sequence[str]

    @property
    def name(self) -> str:
        return self.words[0]

    def has(self, option: str) -> bool:
        return option in self.options

    @property
    def text(self) -> str:
        """The command as it was written, in complaints."""
        return " ".join([*self.options, *self.words])


class Notice(NamedTuple):
    """What is said on the side: by which module of Open vSwitch, and what."""

    module: str
    text: str


class ExitError(Exception):
    """The program ends with a status, and says nothing."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(status)


class NotYetError(Exception):
    """What a command waits for is not so yet: the command line is to be tried again."""


@dataclass(eq=False, slots=True)
class Symbol:
    """A row that is referred to by ``@name``, before or after it is there."""

    uuid: Uuid
    is_bound: bool = False
    has_strong: bool = False
    has_weak: bool = False


class Context:
    """A command line that is being carried out."""

    def __init__(self, transaction: Transaction) -> None:
        self.transaction = transaction
        self.notices: list[Notice] = []
        self.symbols: dict[str, Symbol] = {}
        self.new_interfaces: list[Record] = []
        """Those that the switch is expected to set up."""
        self.is_last = False
        """Whether this is the last command: what it adds to a column need not be seen by others."""
        self._switch: Switch | None = None

    @property
    def root(self) -> Record:
        """The one row of the table Open_vSwitch."""
        return self.transaction.root

    @property
    def switch(self) -> Switch:
        """The bridges that there are by now."""
        if self._switch is None:
            self._switch = Switch(self.transaction, self.warn)
        return self._switch

    def rows_changed(self) -> None:
        """Rows have come or gone that bridges may be made of."""
        self._switch = None

    def wrote(self, record: Record, column: str) -> None:
        """A column was written, which bridges may be made of."""
        if column in _OF_SWITCH.get(record.table.name, ()):
            self._switch = None

    def warn(self, module: str, text: str) -> None:
        """Say something on the side."""
        self.notices.append(Notice(module, text))

    # -- rows by name

    def row_of(self, text: str, base: BaseType) -> Uuid:
        """What ``@name`` stands for in a column of a type."""
        symbol = self.symbols.get(text)
        if symbol is None:
            symbol = self.symbols[text] = Symbol(self.transaction.new_uuid())
        symbol.has_strong |= base.is_strong_reference
        symbol.has_weak |= base.is_weak_reference
        return symbol.uuid

    def bind(self, name: str) -> Symbol:
        """Let ``@name`` stand for a row, before or after it is used."""
        if not name.startswith("@"):
            raise OvsTextError(f'row id "{name}" does not begin with "@"')
        symbol = self.symbols.get(name)
        if symbol is None:
            symbol = self.symbols[name] = Symbol(self.transaction.new_uuid())
        if symbol.is_bound:
            raise OvsTextError(f'row id "{name}" may only be specified on one --id option')
        symbol.is_bound = True
        return symbol

    def check_symbols(self) -> None:
        """Raise if a name stands for no row; warn of rows that nothing will keep."""
        for name, symbol in self.symbols.items():
            if not symbol.is_bound:
                raise OvsTextError(
                    f'row id "{name}" is referenced but never created '
                    f'(e.g. with "-- --id={name} create ...")'
                )
            if symbol.has_strong:
                continue
            what = (
                "only a weak reference to it was" if symbol.has_weak else "no reference to it was"
            )
            self.warn(
                "vsctl",
                f'row id "{name}" was created but {what} inserted, '
                "so it will not actually appear in the database",
            )
