"""Rows of one schema as rows of another."""

from __future__ import annotations

from vnet.ovs.ovsdb.schema import TableSchema
from vnet.ovs.ovsdb.table import Table
from vnet.ovs.ovsdb.transaction import Transaction


def draft_converted(transaction: Transaction, table: Table, schema: TableSchema) -> None:
    """Draft the rows of a table for a schema that has it, too.

    Raises :class:`OvsdbError` where a value is not what the new column may hold.
    """
    kept = [column for column in table.schema.columns.values() if column.name in schema.columns]
    for row in table.rows.values():
        columns = dict(schema.defaults)
        for column in kept:
            datum = row.columns[column.name]
            wanted = schema.columns[column.name].type
            if wanted != column.type:
                datum = wanted.parse(column.type.to_json(datum))
            columns[column.name] = datum
        transaction.insert(schema.name, row.uuid, columns)
