"""What a scenario does besides traffic: pulls cables, moves machines, waits, looks.

Each is an app, so that the runner needs to know only one kind of thing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol

from vnet.base.errors import VnetError
from vnet.guest.apps.app import App
from vnet.guest.machine import Machine
from vnet.hypervisor.backend import unplug
from vnet.lab.network import Network, front_of
from vnet.netdev.device import NetDevice, Sniffer
from vnet.netdev.nic import Nic
from vnet.sim.link import Link
from vnet.sim.scheduler import Scheduler
from vnet.topology import steps
from vnet.topology.model import Endpoint
from vnet.topology.scenario.admin_steps import IptablesStep, SysctlStep
from vnet.topology.scenario.group_steps import MembershipStep


class Act(App):
    """Something that takes no time; ``seen`` is what it found."""

    def __init__(self, scheduler: Scheduler, act: Callable[[], dict[str, Any]]) -> None:
        super().__init__(scheduler)
        self._act = act
        self._found: dict[str, Any] = {}

    def start(self) -> None:
        self._found = self._act()
        self.scheduler.after(0, self.finish)

    def seen(self) -> dict[str, Any]:
        return self._found


class Wait(App):
    """The app that does nothing for a while."""

    def __init__(self, scheduler: Scheduler, duration_ns: int) -> None:
        super().__init__(scheduler)
        self._duration_ns = duration_ns

    def start(self) -> None:
        self.scheduler.after(self._duration_ns, self.finish)

    def seen(self) -> dict[str, Any]:
        return {}


def change_link(network: Network, step: steps.LinkStep) -> dict[str, Any]:
    """Plug a cable in elsewhere, plug or unplug it, or change what it does to frames.

    Raises :class:`VnetError` where none ends there any more, or the other place is taken.
    """
    link = network.link_at(str(step.end))
    if link is None:
        raise VnetError(f"no link ends at {step.end} now", "its plug was moved")
    if step.to is not None:
        move_plug(network, link, step.end, step.to)
    link.change(**step.change)
    return {"state": "up" if link.up else "down"}


def move_plug(network: Network, link: Link, stays: Endpoint, to: Endpoint) -> None:
    """Pull the end of ``link`` that is not at ``stays``, and plug it in at ``to``.

    Raises :class:`VnetError` where that is no free card or port, and then nothing has moved.
    """
    target = network.card(to.node, to.device)
    if target is None or target.end is not None:
        what = f"{to} is no card or port" if target is None else f"{to} has a link already"
        raise VnetError(what, "write a free one")
    cards = [network.card_at(end) for end in link.ends]
    number = 0 if cards[1] is network.card(stays.node, stays.device) else 1
    was_up = link.up
    network.former_ends.append(link.replug(number, str(to)))
    cards[number].unplug()
    cards[number] = target
    for card, end in zip(cards, link.ends, strict=True):
        card.plug(end)
    link.set_up(was_up)
    network.forget_floods()


def move_vm(network: Network, step: steps.MoveStep) -> dict[str, Any]:
    """Replug a machine's cards on another host, or another switch of its own.

    What was on its way through the old back end is lost, as in a live migration. Raises
    :class:`VnetError` where that cannot be, and then nothing has moved.
    """
    guest = network.vms[step.vm]
    target = network.domains[step.host]
    plugs = [network.plug_of(vnic) for vnic in guest.vnics]
    fronts = [front_of(vnic) for vnic in guest.vnics]
    names = target.names(step.vm, len(fronts))
    leaving = {front.peer.name for front in fronts if front.peer.owner == step.host}
    for name in names:
        if target.has_device(name) and name not in leaving:
            raise VnetError(f"{step.host} has a device named {name} already", "rename that one")
    settings = []
    for front, (host, _) in zip(fronts, plugs, strict=True):
        old = unplug(front)
        settings.append(network.domains[host].let_go(old))
        network.bury(old)
    for number, vnic in enumerate(network.topology.vms[step.vm].vnics):
        switch = step.switch or target.switch_for(plugs[number][1])
        target.plug(fronts[number], names[number], switch, settings[number], vnic.ips)
    for host, domains in network.domains.items():
        if host != step.host:
            domains.running.pop(step.vm, None)
    network.forget_floods()
    if step.announce:
        for vnic in guest.vnics:
            vnic.interface.notify_peers()
    return {"host": step.host, "device": names[0] if names else ""}


def look_at_fdb(network: Network, step: steps.FdbStep) -> dict[str, Any]:
    """Where a switch would send a MAC, how many it knows, and how often one moved."""
    switch = network.switch(step.node, step.bridge)
    found: dict[str, Any] = {}
    if step.mac is not None:
        found["port"] = switch.find(step.mac) or "none"
    found["entries"] = switch.learned()
    found["moves"] = switch.moves
    return found


def read_counters(network: Network, step: steps.CountersStep) -> dict[str, Any]:
    """What ``ip -s link`` counts, and each drop by its word, the wire's included."""
    device = device_at(network, step.device)
    drops = Counter(device.drops)
    if isinstance(device, Nic) and device.end is not None:
        drops.update(device.end.drops)
    found = {
        "rx_packets": device.rx_packets,
        "rx_bytes": device.rx_bytes,
        "tx_packets": device.tx_packets,
        "tx_bytes": device.tx_bytes,
        "drops": sum(frames for reason, frames in drops.items() if not reason.routine),
        **{r.word: drops[r] for r in sorted(drops, key=lambda reason: reason.word)},
    }
    # A reason that nothing was dropped for has no count yet, and is expected to be 0.
    return dict.fromkeys((e.key for e in step.expect if e.frames is None), 0) | found


def _machine(network: Network, name: str) -> Machine:
    machine = network.machine(name)
    assert machine is not None, f"validation let {name} through"
    return machine


def change_rules(network: Network, step: IptablesStep) -> dict[str, Any]:
    """Carry out commands of iptables in order.

    Raises :class:`VnetError`, in its words, at the first that cannot be done.
    """
    rules = _machine(network, step.machine).namespace.make_netfilter().rules(step.family)
    for words in step.commands:
        rules.command(words)
    return {"commands": len(step.commands)}


def change_settings(network: Network, step: SysctlStep) -> dict[str, Any]:
    """Set what the step says. Raises :class:`VnetError` where there is no such setting now."""
    sysctls = _machine(network, step.machine).namespace.sysctls
    for key, value in step.values.items():
        sysctls[key] = value
    return {"settings": len(step.values)}


def do_tc(network: Network, step: steps.TcStep) -> dict[str, Any]:
    """Change the queues of a device, and read the counters of one.

    Raises :class:`VnetError`, in tc's words, where it cannot be done.
    """
    # As in Builder: only where tc is spoken.
    from vnet.linux.tc.command import Tc, words_about
    from vnet.linux.tc.show import counted_by

    device = device_at(network, step.device)
    control = network.traffic_control(step.device.node)
    if step.command is not None:
        Tc(control, {device.name: device}).run(words_about(device.name, step.command))
    kind, stats = counted_by(control, device, step.handle)
    return {
        "kind": kind,
        "sent_bytes": stats.sent_bytes,
        "sent_packets": stats.sent_packets,
        "dropped": stats.drops,
        "overlimits": stats.overlimits,
        "requeues": stats.requeues,
        "backlog_bytes": stats.backlog_bytes,
        "backlog_packets": stats.backlog_packets,
    }


def change_membership(network: Network, step: MembershipStep) -> dict[str, Any]:
    """A machine joins a multicast group or leaves it; which groups it is in then, and by what.

    Raises :class:`VnetError` where it is in the group already, or was not.
    """
    machine = _machine(network, step.machine)
    change = machine.groups.join if step.joins else machine.groups.leave
    interface = change(step.group, step.device)
    return {"device": interface.device.name, "groups": " ".join(machine.groups.all())}


def device_at(network: Network, point: Endpoint) -> NetDevice:
    """A device that the file names. Raises :class:`VnetError` where it went with its machine."""
    device = network.device(point.node, point.device)
    if device is None:
        raise VnetError(f"{point} is there no more", "its machine has moved")
    return device


class Listenable(Protocol):
    """Where frames can be listened to: a device, of whatever kind."""

    def add_sniffer(self, sniffer: Sniffer) -> None:
        """From now on ``sniffer`` hears every frame."""

    def remove_sniffer(self, sniffer: Sniffer) -> None:
        """It hears no more."""


class FrameCounter:
    """The sniffer that counts frames for an expectation."""

    def __init__(self, device: Listenable, wanted: Callable[[bytes], bool]) -> None:
        self.frames = 0
        self._wanted = wanted
        self._device = device
        device.add_sniffer(self)

    def capture(self, _time_ns: int, data: bytes, _outbound: bool) -> None:
        """A frame passed."""
        self.frames += self._wanted(data)

    def note_drop(self, *_what: object) -> None:
        """A frame that passed and then died has been counted."""

    def close(self) -> None:
        """Count no more."""
        self._device.remove_sniffer(self)
