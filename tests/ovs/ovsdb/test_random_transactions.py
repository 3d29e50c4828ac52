"""Random transactions on random schemas, reply by reply as the real ovsdb-server answers them.

And then the files: each server is given the other's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.ovs.ovsdb.kit import MemoryStorage, new_database, read_file, transact
from tests.ovs.ovsdb.random_transactions import RandomDatabase
from tests.ovs.ovsdb.real_server import IS_INSTALLED, create, serving
from vnet.ovs.ovsdb.schema import DatabaseSchema

N_TRANSACTIONS = 150


def compared(results: Any) -> Any:
    """Results, of which a refusal at the end says only what is wrong, and not where.

    Where several rows are wrong, either server may tell of any of them.
    """
    *others, last = results
    if isinstance(last, dict) and "details" in last:
        return [*others, {**last, "details": last["details"].split()[0]}]
    return results


@pytest.mark.ovs
@pytest.mark.skipif(not IS_INSTALLED, reason="needs ovsdb-server and ovsdb-tool")
@pytest.mark.parametrize("seed", range(4))
def test_random_transactions(tmp_path: Path, seed: int) -> None:
    random = RandomDatabase(seed)
    schema = DatabaseSchema.from_json(random.schema).to_json()
    storage = MemoryStorage(schema)
    database = new_database(schema, storage)
    file = create(tmp_path, random.schema)
    with serving(tmp_path, file, "any") as real:
        for _ in range(N_TRANSACTIONS):
            operations = random.transaction()
            ours, theirs = transact(database, operations), real.transact(operations)
            assert compared(ours) == compared(theirs), operations
            everything = random.everything()
            assert transact(database, everything) == real.transact(everything), operations
    kept = random.everything(kept=True)
    expected = transact(database, kept)
    with serving(tmp_path, file, "any") as real:
        # Not always what was there: some differences it writes are misread, by itself as well.
        reread = real.transact(kept)
    assert transact(read_file(file), kept) in (expected, reread)
    file.write_bytes(storage.as_file())
    with serving(tmp_path, file, "any") as real:
        assert real.transact(kept) == expected
    assert transact(read_file(file), kept) == expected
