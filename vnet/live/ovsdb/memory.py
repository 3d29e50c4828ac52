"""What a server keeps in memory, as ``memory/show`` tells it."""

from __future__ import annotations

from vnet.ovs.ovsdb.database import Database
from vnet.ovs.ovsdb.row import Row
from vnet.ovs.ovsdb.server.server import Server

_STANDARD_COLUMNS = 2
"""``_uuid`` and ``_version``, which each row has."""


def memory_usage(server: Server) -> dict[str, int]:
    """Kinds of things and how many there are, by the names of ``memory/show``."""
    counts = {"atoms": 0, "cells": 0, "monitors": 0, "n-weak-refs": 0}
    for name, database in server.databases.items():
        _count_rows(database, counts)
        served = server.served(name)
        counts["monitors"] += served.n_watches
        if served.history.n_commits:
            counts["txn-history"] = counts.get("txn-history", 0) + served.history.n_commits
    optional = {
        "sessions": len(server.sessions),
        "triggers": len(server.pendings),
        "backlog": sum(session.peer.unsent_bytes for session in server.sessions),
    }
    return counts | {name: count for name, count in optional.items() if count}


def _count_rows(database: Database, counts: dict[str, int]) -> None:
    for table in database.tables.values():
        counts["cells"] += len(table.schema.all_columns) * len(table.rows)
        counts["atoms"] += sum(map(_n_atoms, table.rows.values()))
        counts["n-weak-refs"] += sum(map(len, table.weak_sources.values()))


def _n_atoms(row: Row) -> int:
    return _STANDARD_COLUMNS + sum(
        len(datum) * (2 if datum and type(datum[0]) is tuple else 1)
        for datum in row.columns.values()
    )
