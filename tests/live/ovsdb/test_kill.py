"""What was acknowledged is there after a kill -9, whenever it comes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

from tests.live.ovsdb.killing import rounds
from tests.ovs.ovsdb.real_server import IS_INSTALLED
from tests.ovs.ovsdb.transactions import SCHEMA, uuid
from vnet.live.ovsdb.files import create_database, open_database
from vnet.ovs.ovsdb.atoms import Uuid
from vnet.ovs.ovsdb.schema import DatabaseSchema

ROOT = Path(__file__).parents[3]
N_KILLS = 4
TIMEOUT_S = 60


def test_acknowledged_transactions_outlive_a_kill(tmp_path: Path) -> None:
    file = tmp_path / "conf.db"
    create_database(str(file), DatabaseSchema.from_json(SCHEMA))
    random = Random(8)
    number = 0
    for _ in range(N_KILLS):
        acknowledged = _killed_after(file, number + 1, random.randint(5, 120))
        found = open_database(str(file))
        row = found.database.tables["root"].rows[Uuid(uuid(1))]
        found.close()
        (number,) = row.columns["number"]
        assert acknowledged <= number <= acknowledged + 1
        assert len(row.columns["name"][0]) == number % 999
        if IS_INSTALLED:
            command = ["ovsdb-tool", "show-log", str(file)]
            subprocess.run(command, check=True, timeout=TIMEOUT_S, stdout=subprocess.DEVNULL)


def _killed_after(file: Path, first: int, n_commits: int) -> int:
    """The last number that was acknowledged."""
    command = [sys.executable, "-m", "tests.live.ovsdb.writer", str(file), str(first)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(n_commits):
            assert process.stdout.readline()
        process.kill()
        lines = process.stdout.read().splitlines()
    assert process.returncode < 0
    return int(lines[-1]) if lines else first + n_commits - 1


def test_what_a_server_acknowledged_outlives_it(tmp_path: Path) -> None:
    """Some clients count; the real tools read the file after each kill."""
    for one in rounds(tmp_path, n_rounds=3, n_transactions=200, seed=8):
        assert one.acknowledged <= one.found <= one.asked
