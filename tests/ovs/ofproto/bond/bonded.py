"""Switches with bonds, for tests: ``br0`` with ``bond0`` of ``p1``, ``p2`` and ``p7`` beside."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.dummy_switch import BRIDGE
from tests.ovs.command_switch import Switch
from vnet.base.units import NS_PER_MS
from vnet.ovs.ofproto.bond.bond import Bond


def bonded(*settings: str, links: Sequence[str] = ("p1", "p2"), flow: str = "normal") -> Switch:
    """A switch whose links come up in their order."""
    switch = Switch()
    words = f"add-br {BRIDGE} -- set bridge {BRIDGE} datapath_type=dummy fail-mode=secure"
    words += f" other-config:hwaddr=aa:55:aa:55:00:00 -- add-port {BRIDGE} p7 -- set interface p7"
    words += f" type=dummy ofport_request=7 -- add-bond {BRIDGE} bond0 {' '.join(links)}"
    words += f" {' '.join(settings)}"
    for number, link in enumerate(links, 1):
        words += f" -- set interface {link} type=dummy ofport_request={number}"
    switch.vsctl(*words.split())
    switch.ofctl(["add-flow", BRIDGE, f"actions={flow}"])
    switch.settle()
    switch.take_sent()
    return switch


def bond_of(switch: Switch, bridge: str = BRIDGE, name: str = "bond0") -> Bond:
    """The bond."""
    bond = switch.bridge(bridge).switching.bundles[name].bond
    assert bond is not None
    return bond


def set_link(switch: Switch, link: str, up: bool) -> None:
    """A link fails or comes back, and what follows from it at once happens, to cached flows too."""
    switch.devices[link].set_admin(up)
    switch.settle()
    switch.vswitchd.backer.revalidator.settle()


def pass_ms(switch: Switch, time_ms: int) -> None:
    """Let time pass."""
    switch.scheduler.run(switch.scheduler.now_ns + time_ms * NS_PER_MS)


def enabled(switch: Switch) -> list[str]:
    """The links that may be used."""
    return [member.name for member in bond_of(switch).members.values() if member.enabled]


def active(switch: Switch) -> str | None:
    """The active link."""
    member = bond_of(switch).active
    return None if member is None else member.name


def actions(switch: Switch, flow: str, bridge: str = BRIDGE) -> str:
    """What the datapath does with a flow."""
    text = switch.appctl(["ofproto/trace", bridge, flow])
    return next(
        line.removeprefix("Datapath actions: ")
        for line in text.split("\n")
        if line.startswith("Datapath actions: ")
    )


def sent(switch: Switch) -> list[tuple[str, bytes]]:
    """What left by links since the last time somebody asked."""
    return [(port, frame) for port, frame in switch.take_sent() if port not in (BRIDGE, "p7")]
