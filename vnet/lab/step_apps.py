"""From a step of the scenario to the app that does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

from vnet.base.errors import UsageError
from vnet.base.ids import IPV4_ANY, IPV6_ANY, IpAddress, ip_from_text, ip_text, is_multicast_ip
from vnet.guest.apps.app import App
from vnet.guest.apps.send import Send
from vnet.guest.machine import Machine, reachable_address
from vnet.guest.services import Client
from vnet.lab import acts
from vnet.lab.acts import Act, Wait
from vnet.lab.names import name_server
from vnet.lab.network import Network
from vnet.lab.pingall import PingAll, choose_pairs
from vnet.topology import steps
from vnet.topology.packets.expression import build_packet
from vnet.topology.scenario import stream_steps
from vnet.topology.scenario.admin_steps import IptablesStep, SysctlStep
from vnet.topology.scenario.dhcp_steps import DhcpStep
from vnet.topology.scenario.group_steps import MembershipStep
from vnet.topology.scenario.name_steps import DnsStep
from vnet.topology.scenario.netfilter_steps import ConntrackStep, RulesStep
from vnet.topology.scenario.ovs_steps import OvsStep

_StreamStep: TypeAlias = stream_steps.TcpStep | stream_steps.IperfStep | stream_steps.HttpStep


def make_app(network: Network, step: steps.Step) -> App:
    """The app, ready to start. Raises :class:`VnetError` where the step cannot be done."""
    name = name_to_resolve(network, step)
    return _make_app(network, step) if name is None else _make_named(network, step, name)


def name_to_resolve(network: Network, step: steps.Step) -> str | None:
    """The target of a step, where it is neither a machine nor an address."""
    target = getattr(step, "target", None)
    if not isinstance(target, str) or network.machine(target) is not None:
        return None
    try:
        ip_from_text(target)
    except ValueError:
        return target
    return None


def _make_named(network: Network, step: Any, name: str) -> App:
    from vnet.lab.named_step import NamedStep

    def with_address(ip: IpAddress) -> App:
        return _make_app(network, replace(step, target=ip_text(ip)))

    return NamedStep(
        network.scheduler, _machine(network, step.source).make_resolve(name), with_address
    )


def _make_app(network: Network, step: steps.Step) -> App:
    if isinstance(step, steps.WaitStep):
        return Wait(network.scheduler, step.duration_ns)
    if isinstance(step, steps.SendStep):
        return _make_send(network, step)
    if isinstance(step, steps.UdpStep):
        return _make_udp(network, step)
    if isinstance(step, _StreamStep):
        return _make_stream(network, step)
    if isinstance(step, DnsStep):
        return _make_dig(network, step)
    if isinstance(step, DhcpStep):
        return _machine(network, step.machine).make_dhcp(step.action, step.device)
    if isinstance(step, steps.PingStep):
        machine = _machine(network, step.source)
        return machine.make_ping(
            _target(network, step.target, machine),
            count=step.count,
            interval_ns=step.interval_ns,
            size_bytes=step.size_bytes,
            ttl=step.ttl,
            dont_fragment=step.dont_fragment,
            tos=step.tos,
            timeout_ns=step.timeout_ns,
        )
    if isinstance(step, steps.ArpingStep):
        machine = _machine(network, step.source)
        target = _target(network, step.target, machine)
        return machine.make_arping(
            target, count=step.count, interval_ns=step.interval_ns, mode=step.mode
        )
    if isinstance(step, steps.TracerouteStep):
        machine = _machine(network, step.source)
        return machine.make_traceroute(
            _target(network, step.target, machine),
            step.target,
            icmp=step.icmp,
            max_hops=step.max_hops,
            queries=step.queries,
            wait_ns=step.wait_ns,
            size_bytes=step.size_bytes,
        )
    if isinstance(step, steps.TracepathStep):
        machine = _machine(network, step.source)
        return machine.make_tracepath(
            _target(network, step.target, machine),
            max_hops=step.max_hops,
            size_bytes=step.size_bytes,
        )
    if isinstance(step, steps.PingAllStep):
        if step.target is not None:
            return PingAll(network, [(source, step.target) for source in step.among])
        pairs = choose_pairs(
            network,
            step.among,
            classes=step.classes,
            sample=step.sample,
        )
        return PingAll(network, pairs)
    return Act(network.scheduler, _act(network, step))


def _act(network: Network, step: steps.Step) -> Callable[[], dict[str, Any]]:
    if isinstance(step, steps.LinkStep):
        return lambda: acts.change_link(network, step)
    if isinstance(step, steps.MoveStep):
        return lambda: acts.move_vm(network, step)
    if isinstance(step, steps.FdbStep):
        return lambda: acts.look_at_fdb(network, step)
    if isinstance(step, steps.CountersStep):
        return lambda: acts.read_counters(network, step)
    if isinstance(step, steps.TcStep):
        return lambda: acts.do_tc(network, step)
    if isinstance(step, IptablesStep):
        return lambda: acts.change_rules(network, step)
    if isinstance(step, SysctlStep):
        return lambda: acts.change_settings(network, step)
    if isinstance(step, RulesStep | ConntrackStep):
        # Labs without rules do without all that reads and writes them.
        from vnet.lab.netfilter_acts import netfilter_act

        return lambda: netfilter_act(network, step)
    if isinstance(step, MembershipStep):
        return lambda: acts.change_membership(network, step)
    if isinstance(step, OvsStep):
        # Labs without Open vSwitch do without all that it is made of.
        from vnet.lab.ovs_acts import ovs_act

        return lambda: ovs_act(network, step)
    assert isinstance(step, steps.CheckStep), step
    return dict


def _make_dig(network: Network, step: DnsStep) -> App:
    machine = _machine(network, step.source)
    servers = [] if step.server is None else [name_server(network, step.server, machine)]
    return machine.make_dig(
        step.name,
        kind=step.kind,
        servers=servers,
        tcp=step.tcp,
        edns=step.edns,
        size_bytes=step.size_bytes,
        tries=step.tries,
        timeout_ns=step.timeout_ns,
    )


def _make_udp(network: Network, step: steps.UdpStep) -> App:
    machine = _machine(network, step.source)
    owners, port = _who_serves(network, step)
    servers = [owner.serve_udp(port, echo=step.echo) for owner in owners]
    target = _target(network, step.target, machine)
    return machine.make_udp(
        target,
        port=step.port,
        count=step.count,
        interval_ns=step.interval_ns,
        size_bytes=step.size_bytes,
        echo=step.echo,
        timeout_ns=step.timeout_ns,
        # Tenants may share an address: then nobody could say who counted.
        servers=servers if len(servers) == 1 or is_multicast_ip(target) else (),
    )


def _make_stream(network: Network, step: _StreamStep) -> App:
    """A step over TCP, and the server for it."""
    machine = _machine(network, step.source)
    target = _target(network, step.target, machine)
    if isinstance(step, stream_steps.IperfStep):
        return _make_iperf(network, step, machine, target)
    owners, port = _who_serves(network, step)
    if isinstance(step, stream_steps.TcpStep):
        tcp = machine.make_tcp(
            target, port=step.port, size_bytes=step.size_bytes, timeout_ns=step.timeout_ns
        )
        for owner in owners if step.serve else ():
            owner.serve_tcp(port, Client(tcp, step.title))
        return tcp
    get = machine.make_http_get(target, port=step.port, path=step.path, timeout_ns=step.timeout_ns)
    for owner in owners:
        owner.serve_http(port, Client(get, step.title)).offer(step.path, step.size_bytes)
    return get


def _make_iperf(
    network: Network, step: stream_steps.IperfStep, machine: Machine, target: bytes
) -> App:
    owners, served = _who_serves(network, step)
    asked = step.port
    if step.server is None:
        asked = served = _free_iperf_port(owners, served)
    elif not all(owner.can_serve_iperf(served) for owner in owners):
        what = f"{step.server.node}: TCP port {served} is busy with a test of another step"
        raise UsageError(what, "one after the other, or give each a port of its own")
    client = machine.make_iperf(
        target,
        port=asked,
        duration_ns=step.duration_ns,
        size_bytes=step.size_bytes,
        reverse=step.reverse,
        parallel=step.parallel,
    )
    for owner in owners:
        owner.serve_iperf(served, Client(client, step.title)).serve(client)
    return client


def _free_iperf_port(owners: list[Machine], first: int) -> int:
    """The first port from ``first`` on that no other test has: a server takes one at a time."""
    for port in range(first, 65_536):
        if all(owner.can_serve_iperf(port) for owner in owners):
            return port
    return first


def _make_send(network: Network, step: steps.SendStep) -> App:
    vnic = _machine(network, step.source).vnic(step.device)
    interface = vnic.interface
    packet = build_packet(
        step.packet,
        mac=interface.device.mac,
        ip4=interface.source_for(IPV4_ANY) or b"",
        ip6=interface.source_for(IPV6_ANY) or b"",
    )
    return Send(vnic, packet, count=step.count, interval_ns=step.interval_ns)


def _who_serves(network: Network, step: steps.UdpStep | _StreamStep) -> tuple[list[Machine], int]:
    """The machines that serve a step, and the port that they listen on."""
    if step.server is None:
        return _owners(network, step.target), step.port
    return [_machine(network, step.server.node)], step.server.port or step.port


def _owners(network: Network, target: str) -> list[Machine]:
    """The machines that a name or an address stands for; of a group, its members."""
    machine = network.machine(target)
    if machine is not None:
        return [machine]
    ip = ip_from_text(target)
    return [owner for owner in network.machines() if ip in owner.addresses or ip in owner.groups]


def _machine(network: Network, name: str) -> Machine:
    machine = network.machine(name)
    assert machine is not None, f"validation let {name} through"
    return machine


def _target(network: Network, target: str, source: Machine) -> bytes:
    """An address as it stands; a machine's name is its first address that ``source`` can
    speak to, IPv4 before IPv6."""
    machine = network.machine(target)
    return ip_from_text(target) if machine is None else reachable_address(machine, source)
