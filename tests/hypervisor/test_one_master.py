"""A device has one master, and neither kind of bridge meddles with the other's."""

from __future__ import annotations

import pytest

from vnet.base.errors import UsageError
from vnet.hypervisor.bridging import LinuxBridging
from vnet.hypervisor.openvswitch import OpenVSwitch
from vnet.lab.lab import Lab
from vnet.linux.netns.vlan_devices import add_vlan_device
from vnet.topology.load import parse_topology

HOST = """
version: 1
hosts:
  h1:
    nics: {eth0: , eth1: , eth2: }
    switches:
      br0: {uplink: eth0}
      br1: {uplink: none}
      ovs0: {type: ovs, uplink: eth1}
"""


@pytest.fixture
def lab() -> Lab:
    return Lab(parse_topology(HOST))


@pytest.fixture
def linux(lab: Lab) -> LinuxBridging:
    return LinuxBridging(lab.host("h1").namespace)


@pytest.fixture
def ovs(lab: Lab) -> OpenVSwitch:
    return lab.switch("h1:ovs0").machine


@pytest.mark.parametrize("device", ["eth0", "eth1"])
def test_brctl_takes_no_port_of_another_bridge_of_either_kind(
    linux: LinuxBridging, device: str
) -> None:
    with pytest.raises(UsageError) as caught:
        linux.add_port("br1", device)
    assert str(caught.value) == (
        f"device {device} is already a member of a bridge; can't add it to bridge br1."
    )


def test_ovs_takes_no_port_of_a_linux_bridge(ovs: OpenVSwitch) -> None:
    with pytest.raises(UsageError, match="could not add network device eth0 to ofproto"):
        ovs.add_port("ovs0", "eth0")
    with pytest.raises(UsageError, match="a port named eth1 already exists on bridge ovs0"):
        ovs.add_port("ovs0", "eth1")


def test_a_device_that_was_let_go_is_free_for_the_other_kind(
    linux: LinuxBridging, ovs: OpenVSwitch
) -> None:
    linux.remove_port("br0", "eth0")
    ovs.add_port("ovs0", "eth0")
    assert (linux.bridge_of("eth0"), ovs.bridge_of("eth0")) == (None, "ovs0")
    ovs.remove_port("ovs0", "eth0")
    linux.add_port("br1", "eth0")
    assert (linux.bridge_of("eth0"), ovs.bridge_of("eth0")) == ("br1", None)


def test_neither_finds_the_others_bridges(lab: Lab, linux: LinuxBridging, ovs: OpenVSwitch) -> None:
    with pytest.raises(UsageError, match="ovs0 is not a bridge"):
        linux.add_port("ovs0", "eth2")
    assert list(lab.host("h1").namespace.bridges) == ["br0", "br1"]
    assert list(ovs.vswitchd.bridges) == ["ovs0"]


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("br0", "Error: Can not enslave a bridge to a bridge."),
        ("lo", "RTNETLINK answers: Invalid argument"),
        ("br1.10", "RTNETLINK answers: Device or resource busy"),
    ],
)
def test_some_devices_are_no_ports(
    lab: Lab, linux: LinuxBridging, device: str, message: str
) -> None:
    add_vlan_device(lab.host("h1").namespace, "br1", "br1.10", 10)
    with pytest.raises(UsageError) as caught:
        linux.add_port("br1", device)
    assert str(caught.value).startswith(message)
