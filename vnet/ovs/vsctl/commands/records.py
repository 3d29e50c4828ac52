"""Database commands of ovs-vsctl(8): any row of any table."""

from __future__ import annotations

from collections.abc import Iterable

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.ovsdb.atoms import Uuid, atom_text, is_uuid
from vnet.ovs.ovsdb.schema import UUID_COLUMN, ColumnSchema, DatabaseSchema, TableSchema
from vnet.ovs.vsctl.context import Command, Context, NotYetError
from vnet.ovs.vsctl.listing import Listing
from vnet.ovs.vsctl.names import column_named, find_record, record_named, table_named
from vnet.ovs.vsctl.record import Record
from vnet.ovs.vsctl.settings import (
    added_to,
    check_mutable,
    column_of,
    fulfils,
    parse_column,
    removed_from,
    set_column,
)
from vnet.ovs.vsctl.value_text import any_number_of, items_of, parse_atom, parse_value

_UUID_NAMES = ("_uuid", "-uuid")


def _table(context: Context, command: Command) -> TableSchema:
    return table_named(context.transaction.schema, command.words[1])


def _record(context: Context, command: Command, table: TableSchema, name: str) -> Record | None:
    """The row of that name; None if it need not exist."""
    if command.has("--if-exists"):
        return find_record(context.transaction, table, name)
    return record_named(context.transaction, table, name)


# -- before anything is done: all commands of a line name tables and columns that there are


def check_table(schema: DatabaseSchema, command: Command) -> None:
    """The table that a command names."""
    table_named(schema, command.words[1])


def check_listed(schema: DatabaseSchema, command: Command) -> None:
    """The table, the columns that are to be printed, and those of the conditions of ``find``."""
    table = table_named(schema, command.words[1])
    _columns(command, table)
    if command.name == "find":
        _check_columns(table, command.words[2:])


def check_settings(schema: DatabaseSchema, command: Command) -> None:
    """The table, and the columns of settings, of conditions, or of what is to be printed."""
    _check_columns(table_named(schema, command.words[1]), command.words[3:])


def check_column(schema: DatabaseSchema, command: Command) -> None:
    """The table and its one column."""
    column_named(table_named(schema, command.words[1]), command.words[3])


def check_columns(schema: DatabaseSchema, command: Command) -> None:
    """The table and its columns."""
    table = table_named(schema, command.words[1])
    for text in command.words[3:]:
        column_named(table, text)


def _check_columns(table: TableSchema, texts: Iterable[str]) -> None:
    for text in texts:
        if text.lower() not in _UUID_NAMES:
            column_of(table, text)


# -- what only looks


def get(context: Context, command: Command) -> str:
    """``get TABLE RECORD [COLUMN[:KEY]]...``."""
    name = command.options.get("--id")
    if name is not None and command.has("--if-exists"):
        raise OvsTextError("--if-exists and --id may not be specified together")
    table = _table(context, command)
    record = _record(context, command, table, command.words[2])
    if record is None:
        return ""
    if name is not None:
        _bind_existing(context, name, record)
    return "".join(f"{_value(context, command, record, text)}\n" for text in command.words[3:])


def _bind_existing(context: Context, name: str, record: Record) -> None:
    is_known = name in context.symbols
    symbol = context.bind(name)
    if is_known:
        raise OvsTextError(
            f'row id "{name}" specified on "get" command was used before it was defined'
        )
    symbol.uuid = record.uuid
    symbol.has_strong = True


def _value(context: Context, command: Command, record: Record, text: str) -> str:
    if text.lower() in _UUID_NAMES:
        return record.uuid
    column, key_text = parse_column(record.table, text)
    record.verify(column.name)
    known, datum = column.type, record[column.name]
    if key_text is None:
        return known.to_text(datum)
    if known.value is None:
        raise OvsTextError(f"cannot specify key to get for non-map column {column.name}")
    key = parse_atom(known.key, key_text, context.row_of)
    items = items_of(known, datum)
    if key in items:
        return atom_text(items[key], known.value.kind)
    if command.has("--if-exists"):
        return ""
    raise OvsTextError(
        f'no key "{key_text}" in {record.table.name} record "{command.words[2]}" '
        f"column {column.name}"
    )


def list_records(context: Context, command: Command) -> Listing:
    """``list TABLE [RECORD]...``."""
    table = _table(context, command)
    listing = Listing(_columns(command, table))
    names = command.words[2:]
    if not names:
        listing.records += context.transaction.records(table.name)
    for name in names:
        record = _record(context, command, table, name)
        if record is not None:
            listing.records.append(record)
    return listing


def find_records(context: Context, command: Command) -> Listing:
    """``find TABLE [COLUMN[:KEY]=VALUE]...``."""
    table = _table(context, command)
    listing = Listing(_columns(command, table))
    for record in context.transaction.records(table.name):
        if all(fulfils(context, record, text) for text in command.words[2:]):
            listing.records.append(record)
    return listing


def _columns(command: Command, table: TableSchema) -> list[ColumnSchema]:
    """The columns that are asked for, or all."""
    names = command.options.get("--columns")
    if names is None:
        return [UUID_COLUMN, *(table.columns[name] for name in sorted(table.columns))]
    columns = [
        UUID_COLUMN if name.lower() == "_uuid" else column_named(table, name)
        for name in names.replace(",", " ").split(" ")
        if name
    ]
    if not columns:
        raise OvsTextError("must specify at least one column name")
    return columns


def wait_until(context: Context, command: Command) -> None:
    """``wait-until TABLE RECORD [COLUMN[:KEY]=VALUE]...``."""
    record = find_record(context.transaction, _table(context, command), command.words[2])
    if record is None or not all(fulfils(context, record, text) for text in command.words[3:]):
        raise NotYetError


# -- what changes something


def set_columns(context: Context, command: Command) -> None:
    """``set TABLE RECORD COLUMN[:KEY]=VALUE...``."""
    record = _record(context, command, _table(context, command), command.words[2])
    if record is None:
        return
    for setting in command.words[3:]:
        set_column(context, record, setting, adds=context.is_last)


def _mutable_column(record: Record, text: str) -> ColumnSchema:
    column = column_named(record.table, text)
    check_mutable(record, column)
    return column


def add_values(context: Context, command: Command) -> None:
    """``add TABLE RECORD COLUMN [KEY=]VALUE...``."""
    table = _table(context, command)
    record = _record(context, command, table, command.words[2])
    if record is None:
        return
    column = _mutable_column(record, command.words[3])
    known, texts = column.type, command.words[4:]
    if context.is_last:
        for text in texts:
            more = items_of(known, parse_value(any_number_of(known), text, context.row_of))
            for key, value in more.items():
                record.add(column.name, key, value)
        return
    datum = record[column.name]
    for text in texts:
        datum = added_to(known, datum, text, context)
    if len(datum) > known.n_max:
        raise OvsTextError(
            f'"add" operation would put {len(datum)} {_noun(column)} in column {column.name} '
            f"of table {table.name} but the maximum number is {known.n_max}"
        )
    record.verify(column.name)
    record.write(column.name, datum)
    context.wrote(record, column.name)


def remove_values(context: Context, command: Command) -> None:
    """``remove TABLE RECORD COLUMN KEY|VALUE|KEY=VALUE...``."""
    table = _table(context, command)
    record = _record(context, command, table, command.words[2])
    if record is None:
        return
    column = _mutable_column(record, command.words[3])
    datum = record[column.name]
    for text in command.words[4:]:
        datum = removed_from(column.type, datum, text, context)
    if len(datum) < column.type.n_min:
        raise OvsTextError(
            f'"remove" operation would put {len(datum)} {_noun(column)} in column {column.name} '
            f"of table {table.name} but the minimum number is {column.type.n_min}"
        )
    record.verify(column.name)
    record.write(column.name, datum)
    context.wrote(record, column.name)


def _noun(column: ColumnSchema) -> str:
    return "pairs" if column.type.is_map else "values"


def clear_columns(context: Context, command: Command) -> None:
    """``clear TABLE RECORD COLUMN...``."""
    table = _table(context, command)
    record = _record(context, command, table, command.words[2])
    if record is None:
        return
    for text in command.words[3:]:
        column = _mutable_column(record, text)
        if column.type.n_min:
            raise OvsTextError(
                f'"clear" operation cannot be applied to column {column.name} '
                f"of table {table.name}, which is not allowed to be empty"
            )
        record.write(column.name, ())
        context.wrote(record, column.name)


def create(context: Context, command: Command) -> Record:
    """``create TABLE COLUMN[:KEY]=VALUE...``."""
    table = _table(context, command)
    name = command.options.get("--id")
    uuid: Uuid | None = None
    keeps_uuid = False
    if name is None:
        if not table.is_root:
            context.warn(
                "db_ctl_base",
                f'applying "create" command to table {table.name} without --id option '
                "will have no effect",
            )
    elif is_uuid(name):
        uuid, keeps_uuid = Uuid.parse(name), True
    else:
        symbol = context.bind(name)
        symbol.has_strong |= table.is_root
        uuid = symbol.uuid
    record = context.transaction.insert(table.name, uuid, keeps_uuid=keeps_uuid)
    for setting in command.words[2:]:
        set_column(context, record, setting)
    return record


def destroy(context: Context, command: Command) -> None:
    """``destroy TABLE [RECORD]...``."""
    table, names = _table(context, command), command.words[2:]
    if command.has("--all"):
        if names:
            raise OvsTextError("--all and records argument should not be specified together")
        if command.has("--if-exists"):
            raise OvsTextError("--all and --if-exists should not be specified together")
        for record in context.transaction.records(table.name):
            context.transaction.delete(record)
    elif not names:
        context.warn("db_ctl_base", "either --all or records argument should be specified")
        return
    for name in names:
        found = _record(context, command, table, name)
        if found is not None:
            context.transaction.delete(found)
    context.rows_changed()
