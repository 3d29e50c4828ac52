"""From a plan to namespaces, devices, addresses and rules.

Everything is made while all devices are down, and then set up at once: so the first frames find
the whole lab there, as they do where no time passes while it is built.
"""

from __future__ import annotations

import socket
from collections.abc import Collection, Iterator
from typing import Any

from vnet.base.ids import ip_text
from vnet.live.kernel import namespaces, offload, sysctls, wires
from vnet.live.kernel.capabilities import Capability
from vnet.live.kernel.devices import Devices
from vnet.live.kernel.errors import KernelError
from vnet.live.kernel.netlink import Netlink
from vnet.live.kernel.plan import CablePlan, NodePlan, Plan
from vnet.live.kernel.programs import run_program
from vnet.live.kernel.record import Record
from vnet.live.kernel.shaping import queues
from vnet.netdev.device import NetDevice
from vnet.tables.fib import Nexthop, Route
from vnet.tables.policy import Rule, RuleAction

_NEW_DEVICES_SPEAK_IPV6 = "net.ipv6.conf.default.disable_ipv6"
_ONLINK = 4
_INVERTED = 2


class Builder:
    """Builds ``plan``; ``told`` are the sysctls that the file itself names, by node. The kernel
    ``has`` so much of what the plan needs.

    First :meth:`make`, then :meth:`start`. ``notes`` are what could not be done, in sentences.
    """

    def __init__(
        self,
        plan: Plan,
        netlink: Netlink,
        record: Record,
        told: dict[str, frozenset[str]],
        has: Collection[Capability],
    ) -> None:
        self._has = has
        self._plan = plan
        self._netlink = netlink
        self._record = record
        self._told = told
        self._devices = Devices(plan, netlink)
        self.wires = wires.Wires(plan, netlink)
        self.notes: list[str] = []

    # -- all that is down

    def make(self) -> None:
        """Namespaces and devices, none of which is up yet."""
        nodes = self._plan.nodes
        more = [wires.NODE] if self.wires.are_needed else []
        for name in [node.name for node in nodes] + more:
            made = self._record.will_make(self._netlink.namespace(name))
            made.inode = namespaces.create(made.name)
            self._record.write()
        for node in nodes:
            self._devices.mark(node)
            self._set_sysctls_before(node)
        self._add_devices()
        for node in nodes:
            self._set_sysctls_after(node)
            for port in node.ports:
                self._devices.join(node.name, port)
                if port.vlans:
                    self._devices.set_vlans(node.name, port)
            for device in node.devices:
                self._devices.set_flags(node.name, device)
                for address in device.addresses:
                    self._devices.add_address(node.name, device, address)
            self._restore_iptables(node)

    def _add_devices(self) -> None:
        for node in self._plan.nodes:
            for bridge in node.bridges:
                self._devices.add_bridge(node.name, bridge)
        for pair in self._plan.pairs:
            self._devices.add_pair(*pair.ends)
        for cable in self._plan.cables:
            if not cable.has_far_ends:
                self._devices.add_pair(*cable.ends)
        if self.wires.are_needed:
            self.wires.add(self._devices)
        for node in self._plan.nodes:
            for vlan in node.vlans:
                self._devices.add_vlan(node.name, vlan)
            for vxlan in node.vxlans:
                self._devices.add_vxlan(node.name, vxlan)

    def _set_sysctls_before(self, node: NodePlan) -> None:
        devices = {device.name for device in node.devices} - {"lo"}
        own = sysctls.of_devices(node.sysctls, devices)
        first = {name: value for name, value in node.sysctls.items() if name not in own}
        # A device that speaks no IPv6 must not begin to.
        first[_NEW_DEVICES_SPEAK_IPV6] = "1"
        with namespaces.inside(self._netlink.namespace(node.name)):
            told = self._told.get(node.name, frozenset())
            self._note(node, sysctls.apply(first, told - {_NEW_DEVICES_SPEAK_IPV6}))
            if not node.br_netfilter:
                sysctls.no_bridge_netfilter()

    def _set_sysctls_after(self, node: NodePlan) -> None:
        silent = {d.name for d in node.devices if not d.ipv6}
        settings = sysctls.of_devices(node.sysctls, {device.name for device in node.devices})
        settings |= {
            name: node.sysctls[name] for name in (_NEW_DEVICES_SPEAK_IPV6,) if name in node.sysctls
        }
        for name in settings:
            if name.endswith(".disable_ipv6") and sysctls.device_of(name) in silent:
                settings[name] = "1"
        with namespaces.inside(self._netlink.namespace(node.name)):
            self._note(node, sysctls.apply(settings, self._told.get(node.name, frozenset())))
            offload.switch_off([device.name for device in node.devices])

    def _note(self, node: NodePlan, sentences: Iterator[str]) -> None:
        self.notes += [f"{node.name}: {sentence}" for sentence in sentences]

    def _restore_iptables(self, node: NodePlan) -> None:
        for family, rules in node.iptables.items():
            program = "iptables-restore" if family == 4 else "ip6tables-restore"
            self._run(node, [program], rules)

    # -- all that needs devices that are up

    def start(self) -> None:
        """Set everything up, and say where packets go."""
        self.wires.start()
        for node in self._plan.nodes:
            for device in node.devices:
                if device.up:
                    self._devices.set_up(node.name, device)
        for node in self._plan.nodes:
            for route in node.routes:
                self._add_route(node, route)
            for family, rule in node.rules:
                self._add_rule(node, family, rule)
            for words in node.tc:
                self._run(node, ["tc", *words])
        for number, cable in enumerate(self._plan.cables):
            for which, end in enumerate(cable.ends):
                self._shape(number, cable, which, self._plan.node(end.node))

    def _shape(self, number: int, cable: CablePlan, which: int, node: NodePlan) -> None:
        """Have a cable take frames from one of its ends as it does in the lab."""
        device = cable.ends[which].device
        for words in queues(cable, node.device(device).mtu_bytes, self._has):
            if cable.has_far_ends:
                self.wires.shape(number, which, words)
            else:
                self._run(node, ["tc", "qdisc", "add", "dev", device, *words])

    def _add_route(self, node: NodePlan, route: Route[NetDevice]) -> None:
        values: dict[str, Any] = {
            "family": socket.AF_INET6 if len(route.network) == 16 else socket.AF_INET,
            "dst": f"{ip_text(route.network)}/{route.prefix_length}",
            "table": route.table,
            "proto": route.protocol,
            "type": route.type.word,
            "scope": route.scope.value,
        }
        if route.metric:
            values["priority"] = route.metric
        if route.source is not None:
            values["prefsrc"] = ip_text(route.source)
        if route.tos:
            values["tos"] = route.tos
        if route.metrics.mtu_bytes:
            values["metrics"] = {"mtu": route.metrics.mtu_bytes}
        hops = [self._nexthop(node, hop) for hop in route.nexthops]
        if len(hops) == 1:
            values |= hops[0]
        elif hops:
            values["multipath"] = hops
        shown = f"route to {values['dst']}"
        self._netlink.ask(node.name, shown, "route", "add", **values)

    def _nexthop(self, node: NodePlan, hop: Nexthop[NetDevice]) -> dict[str, Any]:
        found: dict[str, Any] = {"oif": self._devices.index(node.name, hop.device.name)}
        if hop.gateway is not None:
            found["gateway"] = ip_text(hop.gateway)
        if hop.onlink:
            found["flags"] = _ONLINK
        if hop.weight != 1:
            found["hops"] = hop.weight - 1
        return found

    def _add_rule(self, node: NodePlan, family: int, rule: Rule) -> None:
        values: dict[str, Any] = {
            "family": socket.AF_INET6 if family == 6 else socket.AF_INET,
            "priority": rule.priority,
            "action": rule.action.value,
        }
        if rule.action is RuleAction.LOOKUP:
            values["table"] = rule.table
        if rule.action is RuleAction.GOTO:
            values["goto"] = rule.goto
        for name, prefix in (("src", rule.source), ("dst", rule.target)):
            if prefix is not None:
                values[name] = ip_text(prefix.network)
                values[f"{name}_len"] = prefix.prefix_length
        for name, value in (
            ("iifname", rule.iif),
            ("oifname", rule.oif),
            ("tos", rule.tos),
            ("ip_proto", rule.protocol),
            ("suppress_prefixlen", rule.suppress_length),
        ):
            if value:
                values[name] = value
        if rule.mark_mask:
            values["fwmark"], values["fwmask"] = rule.mark, rule.mark_mask
        for name, ports in (("sport", rule.source_ports), ("dport", rule.target_ports)):
            if ports is not None:
                values[f"{name}_range"] = {"start": ports.first, "end": ports.last}
        if rule.inverted:
            values["flags"] = _INVERTED
        self._netlink.ask(node.name, f"rule {rule.priority}", "rule", "add", **values)

    def _run(self, node: NodePlan, command: list[str], text: str = "") -> None:
        """A program in the node's namespace. Raises :class:`KernelError` with what it says."""
        with namespaces.inside(self._netlink.namespace(node.name)):
            done = run_program(command, text)
        if done.returncode:
            raise KernelError(f"{node.name}: {' '.join(command)}: {done.stderr.strip()}")
