"""One run of ovs-vsctl(8) on a database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.ovsdb.atoms import Uuid
from vnet.ovs.ovsdb.json_text import json_text
from vnet.ovs.vsctl.command_line import Options, parse_command_line
from vnet.ovs.vsctl.context import Command, Context, ExitError, Notice
from vnet.ovs.vsctl.listing import Listing
from vnet.ovs.vsctl.record import Record
from vnet.ovs.vsctl.table import COMMANDS, Printed
from vnet.ovs.vsctl.transaction import Rows, Transaction

VERSION = "3.1.0"


class Database(Rows, Protocol):
    """A database that a command line changes: a view that carries transactions out at once."""

    def transact(self, operations: list[Any], done: Any = None) -> None:
        """Carry out operations, and tell ``done`` their results, before it returns."""


class Outcome(NamedTuple):
    """What came of a command line: what is printed, what is complained of, the exit status."""

    output: str = ""
    complaints: tuple[str, ...] = ()
    """What goes to standard error, without ``ovs-vsctl: `` in front."""
    notices: tuple[Notice, ...] = ()
    """Warnings that are logged to standard error."""
    status: int = 0

    @property
    def text(self) -> str:
        """All that a terminal shows."""
        logged = "".join(f"{notice.module}|WARN|{notice.text}\n" for notice in self.notices)
        complaints = "".join(f"ovs-vsctl: {complaint}\n" for complaint in self.complaints)
        return f"{logged}{self.output}{complaints}"


def run_vsctl(database: Database, arguments: Sequence[str], *, log_directory: str = "") -> Outcome:
    """Carry out a command line, without the program's name: all of it, or none.

    Raises :class:`OvsTextError` with what is fatal, and
    :class:`~vnet.ovs.vsctl.context.NotYetError` where it waits for what is not so yet.
    ``log_directory`` is where a user is sent who wants to know more.
    """
    options, commands = parse_command_line(arguments)
    if options.shows_help:
        return Outcome(_usage())
    if options.shows_version:
        return Outcome(_version(database))
    return _Run(database, options, commands).carry_out(arguments, log_directory)


def _version(database: Database) -> str:
    return f"ovs-vsctl (Open vSwitch) {VERSION}\nDB Schema {database.schema.version}\n"


def _usage() -> str:
    commands = (f"  {name} {syntax.words}".rstrip() for name, syntax in COMMANDS.items())
    return "\n".join(["usage: ovs-vsctl [OPTIONS] COMMAND [ARG...]", "", *commands, ""])


class _Run:
    def __init__(self, database: Database, options: Options, commands: Sequence[Command]) -> None:
        self._database = database
        self._options = options
        self._commands = commands
        self._context = Context(Transaction(database))
        self._uuids: dict[Uuid, Uuid] = {}
        """What new rows are called once they are there, by what they went by before."""

    def carry_out(self, arguments: Sequence[str], log_directory: str) -> Outcome:
        context, printed = self._context, []
        for command in self._commands:
            check = COMMANDS[command.name].check
            if check is not None:
                check(self._database.schema, command)
        for command in self._commands:
            context.is_last = command is self._commands[-1]
            try:
                printed.append(COMMANDS[command.name].run(context, command))
            except ExitError as error:
                return Outcome(notices=tuple(context.notices), status=error.status)
        context.check_symbols()
        is_changed = self._commit(arguments)
        texts = self._texts(printed)
        complaints = self._faults(log_directory) if is_changed and self._options.waits else []
        return Outcome("".join(texts), tuple(complaints), tuple(context.notices))

    def _commit(self, arguments: Sequence[str]) -> bool:
        """Whether there was anything to change."""
        operations = self._context.transaction.operations()
        if not operations.changes_anything:
            return False
        if self._options.waits:
            operations.increment(self._context.root, "next_cfg")
        operations.comment(" ".join(["ovs-vsctl: ovs-vsctl", *arguments]))
        if self._options.is_dry_run:
            operations.abort()
        results: list[Any] = []
        self._database.transact(operations.json, results.extend)
        for result in results:
            if result and "error" in result and result["error"] != "aborted":
                raise OvsTextError(f"transaction error: {json_text(result)}")
        for uuid, at in operations.inserted.items():
            if results[at]:
                self._uuids[uuid] = Uuid(results[at]["uuid"][1])
        return not self._options.is_dry_run

    # -- what is printed

    def _texts(self, printed: Sequence[Printed]) -> list[str]:
        texts, is_first = [], True
        for each in printed:
            if isinstance(each, Listing):
                texts.append(each.text(self._options.style, is_first=is_first))
                is_first = False
                continue
            text = (
                f"{self._uuids.get(each.uuid, each.uuid)}\n" if isinstance(each, Record) else each
            )
            texts.append(_one_line(text or "") if self._options.is_oneline else text or "")
        return texts

    def _uuid_line(self, record: Record) -> str:
        """The UUID that a new row has got; one that nothing keeps has none but its first."""
        return f"{self._uuids.get(record.uuid, record.uuid)}\n"

    def _faults(self, log_directory: str) -> list[str]:
        """The new interfaces that the switch could not set up."""
        rows, found = self._database.rows("Interface"), []
        for record in self._context.new_interfaces:
            row = rows.get(self._uuids.get(record.uuid, record.uuid))
            if row is not None and row.columns["ofport"] in ((), (-1,)):
                why = "".join(f": {error}" for error in row.columns["error"] if error)
                found.append(
                    f"Error detected while setting up '{row.columns['name'][0]}'{why}.  "
                    "See ovs-vswitchd log for details."
                )
        if found and log_directory:
            found.append(f'The default log directory is "{log_directory}".')
        return found


def _one_line(text: str) -> str:
    """A command's output in a line of its own."""
    text = text.removesuffix("\n").replace("\\", "\\\\").replace("\n", "\\n")
    return f"{text}\n"
