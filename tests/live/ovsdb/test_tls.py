"""Databases over TLS, with certificates that options or the database's SSL row name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.live.ovsdb.servers import Servers
from tests.live.processes import PATIENCE_S, wait_until
from tests.live.streams.test_tls import make_authority

pytestmark = pytest.mark.ovs


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("authorities")
    for name in ("good", "bad"):
        make_authority(made, name)
    return made


def names(folder: Path, shows: str = "good") -> list[str]:
    """The options of a client or server that shows a certificate and trusts the good authority."""
    return [
        f"--private-key={folder}/{shows}.key",
        f"--certificate={folder}/{shows}.pem",
        f"--ca-cert={folder}/good-ca.pem",
    ]


def port(servers: Servers) -> int:
    """Where it listens, as soon as the log says so."""
    pattern = re.compile(r"0:127.0.0.1: listening on port (\d+)")
    wait_until(lambda: pattern.search(servers.log("ovsdb-server")))
    return int(pattern.findall(servers.log("ovsdb-server"))[-1])


def list_dbs(servers: Servers, folder: Path, shows: str = "good") -> str:
    target = f"ssl:127.0.0.1:{port(servers)}"
    options = [*names(folder, shows), f"--timeout={PATIENCE_S}"]
    return servers.try_client("ovsdb-client", *options, "list-dbs", target).stdout


@pytest.mark.slow
def test_clients_whose_certificates_are_good_are_served_and_others_not(
    ours: Servers, folder: Path
) -> None:
    ours.serve("--remote=pssl:0:127.0.0.1", *names(folder))
    assert list_dbs(ours, folder) == "Open_vSwitch\n_Server\n"
    assert list_dbs(ours, folder, shows="bad") == ""
    assert ours.client("ovsdb-client", "list-dbs", ours.remote) == "Open_vSwitch\n_Server\n"


def test_certificates_may_stand_in_the_database(ours: Servers, folder: Path) -> None:
    in_database = "db:Open_vSwitch,SSL"
    ours.serve(
        "--remote=db:Open_vSwitch,Open_vSwitch,manager_options",
        f"--private-key={in_database},private_key",
        f"--certificate={in_database},certificate",
        f"--ca-cert={in_database},ca_cert",
    )
    paths = [f"{folder}/{name}" for name in ("good.key", "good.pem", "good-ca.pem")]
    ours.vsctl("set-ssl", *paths, "--", "set-manager", "pssl:0:127.0.0.1")
    assert list_dbs(ours, folder) == "Open_vSwitch\n_Server\n"
    ours.vsctl("del-ssl")
    assert list_dbs(ours, folder) == "Open_vSwitch\n_Server\n", "what was used stays in use"
