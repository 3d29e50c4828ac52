"""What is imported before a daemon is ready is waited for at each of its starts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from tests.live.daemon.daemons import Daemons
from tests.live.processes import PATIENCE_S

STARTS_WITHOUT = {
    "asyncio",
    "click",
    "difflib",
    "logging",
    "pathlib",
    "pydantic",
    "random",
    "scapy",
    "ssl",
    "subprocess",
    "traceback",
    "vnet.guest",
    "vnet.hypervisor",
    "vnet.l2",
    "vnet.lab",
    "vnet.linux",
    "vnet.netdev",
    "vnet.ovs.datapath",
    "vnet.ovs.dpif",
    "vnet.ovs.ofproto.ofproto",
    "vnet.ovs.ofproto.xlate",
    "vnet.ovs.openflow.ofpacts",
    "vnet.ovs.openflow.text",
    "vnet.ovs.vswitchd.appctl",
    "vnet.ovs.vswitchd.reconcile",
    "vnet.tables",
    "vnet.topology",
}

LISTING = """
import sys
from vnet.live.daemon.entry import run_daemon
from vnet.live.daemon.running import RunningDaemon

def ready(daemon):
    print(*sys.modules, flush=True)
    daemon.exit()

RunningDaemon.ready = ready
run_daemon(sys.argv[1], sys.argv[2:])
"""


SWITCH_LISTING = """
import os
import signal
import sys
from vnet.__main__ import main
from vnet.live import starting

def say_where(directories):
    print(*sys.modules, flush=True)
    os.kill(os.getpid(), signal.SIGTERM)

starting.say_where = say_where
main()
"""


def imported_until_ready(daemons: Daemons, *words: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", LISTING, *words, "-vconsole:off"],
        env=daemons.environment,
        cwd=daemons.folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_S,
    )
    return set(done.stdout.split())


def test_a_database_server_imports_what_it_serves_with_alone(daemons: Daemons) -> None:
    imported = imported_until_ready(daemons, "ovsdb-server", "--no-dbs", "--remote=punix:db.sock")
    assert "vnet.ovs.ovsdb.database" in imported
    assert (STARTS_WITHOUT | {"vnet.ovs.vswitchd", "vnet.ovs.openflow"}) & imported == set()


@pytest.mark.ovs
def test_a_switch_without_bridges_imports_nothing_of_what_bridges_consist_of(
    daemons: Daemons,
) -> None:
    daemons.create_database()
    daemons.start("ovsdb-server", "--remote=punix:db.sock")
    imported = imported_until_ready(daemons, "ovs-vswitchd")
    assert "vnet.ovs.vswitchd.daemon" in imported
    assert imported & STARTS_WITHOUT == set()


def test_a_switch_in_one_process_imports_what_both_daemons_do_and_no_command_line(
    daemons: Daemons,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SWITCH_LISTING, "ovs", "--rundir", "run", "--enable-dummy"],
        env=daemons.environment,
        cwd=daemons.folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_S,
    )
    imported = set(done.stdout.split())
    assert "vnet.ovs.vswitchd.daemon" in imported
    # Directories are paths here.
    without = STARTS_WITHOUT - {"pathlib"} | {"vnet.cli", "vnet.ovs.openflow"}
    assert imported & without == set()


def test_bytecode_is_kept_in_the_users_cache_where_it_may_not_be_beside_its_source(
    daemons: Daemons,
) -> None:
    daemons.environment |= {
        "PYTHONDONTWRITEBYTECODE": "1",
        "XDG_CACHE_HOME": str(daemons.folder / "cache"),
    }
    sources = daemons.folder / "python"
    shutil.copytree(
        os.path.join(daemons.environment["PYTHONPATH"], "vnet"),
        sources / "vnet",
        copy_function=os.symlink,
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    daemons.environment["PYTHONPATH"] = str(sources)
    imported_until_ready(daemons, "ovsdb-server", "--no-dbs")
    kept = daemons.folder / "cache" / "vnet" / "bytecode"
    assert kept.stat().st_mode & 0o077 == 0
    assert [path.name for path in kept.rglob("database.*.pyc")]
