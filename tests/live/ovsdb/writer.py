"""A process that commits and tells, until it is killed."""

from __future__ import annotations

import sys

from tests.ovs.ovsdb.transactions import insert, update
from vnet.live.ovsdb.files import open_database

COMPACTS_EACH = 37
ROW = 1


def main(file: str, first: int) -> None:
    """Commit one number after the other, and print each that is acknowledged."""
    database = open_database(file).database
    database.execute([insert("root", ROW)])
    for number in range(first, first + 1_000_000):
        results = database.execute([update("root", ROW, number=number, name="x" * (number % 999))])
        assert results == [{"count": 1}], results
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
        if number % COMPACTS_EACH == 0:
            database.compact()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
