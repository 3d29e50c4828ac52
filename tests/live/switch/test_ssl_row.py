"""``ovs-vsctl set-ssl``: what the SSL row names is used by bridges and by the database's server."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.live.ports import Reserve
from tests.live.processes import wait_until
from tests.live.switch.certificates import Certificates
from tests.live.switch.test_vnet_ovs import Switch, start  # noqa: F401 - a fixture
from tests.ovs.private_ovs import IS_INSTALLED

pytestmark = [
    pytest.mark.ovs,
    pytest.mark.slow,
    pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed"),
]

END = "-----END CERTIFICATE-----\n"


def test_the_ssl_row_is_used_once_it_is_there_and_outlived_when_it_goes(
    start: Callable[..., Switch],  # noqa: F811
    reserve_port: Reserve,
    tmp_path: Path,
) -> None:
    certificates, switch = Certificates(tmp_path), start("--enable-dummy", "--log-file")
    bridges, databases = reserve_port(), reserve_port()
    switch.do(
        *("ovs-vsctl", "add-br", "br0", "--", "set-controller", "br0", f"pssl:{bridges}"),
        *("--", "add-br", "br1", "--", "set-controller", "br1", f"ssl:127.0.0.1:{bridges}"),
        *("--", "set", "controller", "br1", "max_backoff=1000"),
        *("--", "set-manager", f"pssl:{databases}"),
    )

    def is_served() -> bool:
        return certificates.is_bridge_at(bridges, switch.try_to) and certificates.is_database_at(
            databases, switch.try_to
        )

    def is_controlled() -> bool:
        return switch.do("ovs-vsctl", "get", "controller", "br1", "is_connected") == "true\n"

    assert not certificates.is_bridge_at(bridges, switch.try_to)
    assert not certificates.is_database_at(databases, switch.try_to)
    said = (switch.directory / "ovs-vswitchd.log").read_text()
    assert "|stream_ssl|ERR|Private key must be configured to use SSL\n" in said
    switch.do("ovs-vsctl", "set-ssl", *certificates.row())
    assert is_served()
    wait_until(is_controlled)
    switch.do("ovs-vsctl", "del-ssl")
    assert is_served()
    switch.do("ovs-vsctl", "set-ssl", *certificates.row("foreign"))
    assert not is_served()


def test_a_ca_is_learnt_from_the_first_controller_if_the_row_says_so(
    start: Callable[..., Switch],  # noqa: F811
    reserve_port: Reserve,
    tmp_path: Path,
) -> None:
    certificates, switch = Certificates(tmp_path), start("--enable-dummy")
    key, certificate, ca = certificates.row()
    learnt, port = tmp_path / "learnt.pem", reserve_port()
    shown = ("-cert", ca, "-key", str(tmp_path / "good-ca.key"))
    with subprocess.Popen(
        ["openssl", "s_server", "-quiet", "-accept", f"127.0.0.1:{port}", *shown],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as controller:
        switch.do(
            *("ovs-vsctl", "--bootstrap", "set-ssl", key, certificate, str(learnt)),
            *("--", "add-br", "br0", "--", "set-controller", "br0", f"ssl:127.0.0.1:{port}"),
        )
        wait_until(lambda: learnt.exists() and learnt.read_text().endswith(END))
        controller.kill()
    assert learnt.read_text().split() == Path(ca).read_text().split()
