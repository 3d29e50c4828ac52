"""What this machine's kernel can do, tried out in a namespace of its own, and what a plan needs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from enum import Enum
from pathlib import Path
from typing import Any

from vnet.live.kernel import namespaces
from vnet.live.kernel.plan import Kind, NodePlan, Plan
from vnet.live.kernel.programs import has_program, run_program
from vnet.sim.netem import UNIMPAIRED


class Capability(Enum):
    """Something that a kernel may have or not; the value says it in words."""

    VETH = "veth devices"
    BRIDGE = "bridges"
    VLAN = "VLAN devices (8021q)"
    VLAN_FILTERING = "bridges that filter VLANs (CONFIG_BRIDGE_VLAN_FILTERING)"
    VXLAN = "VXLAN devices"
    BR_NETFILTER = "bridges that ask iptables (br_netfilter)"
    IPV6 = "IPv6"
    IPTABLES = "iptables (the program iptables-restore, and nf_tables or ip_tables)"
    TC = "the program tc"
    REDIRECTION = (
        "cables that can be pulled, are narrow or shape beside queues (cls_u32 and act_mirred)"
    )
    NETEM = "links with latency and impairments (sch_netem)"
    TBF = "links with a bandwidth (sch_tbf)"
    DNSMASQ = "the program dnsmasq, for DHCP and DNS servers"
    RADVD = "the program radvd, for router advertisements"
    DHCLIENT = "the program dhclient, for DHCP clients"


OPTIONAL = frozenset((Capability.NETEM, Capability.TBF))
"""Without these a lab can be built, and is faster than the file says."""


def needs(plan: Plan) -> set[Capability]:
    """What the kernel must have for a plan."""
    found = {Capability.VETH} if plan.pairs or plan.cables or plan.loose else set()
    for node in plan.nodes:
        found |= _needs_of(node)
    if any(cable.has_far_ends for cable in plan.cables):
        found |= {Capability.TC, Capability.REDIRECTION}
    if any(cable.latency_ns or cable.impairments != UNIMPAIRED for cable in plan.cables):
        found.add(Capability.NETEM)
    if any(cable.bandwidth_bps for cable in plan.cables):
        found.add(Capability.TBF)
    return found


def _needs_of(node: NodePlan) -> set[Capability]:
    conditions: dict[Capability, object] = {
        Capability.BRIDGE: node.bridges,
        Capability.VLAN: node.vlans,
        Capability.VLAN_FILTERING: any(b.options.get("vlan_filtering") for b in node.bridges),
        Capability.VXLAN: node.vxlans,
        Capability.BR_NETFILTER: node.br_netfilter,
        Capability.IPV6: any(d.ipv6 and d.kind is not Kind.LOOPBACK for d in node.devices),
        Capability.IPTABLES: node.iptables,
        Capability.TC: node.tc,
        Capability.DNSMASQ: node.served or node.relays,
        Capability.RADVD: node.advertising,
        Capability.DHCLIENT: node.asking,
    }
    return {capability for capability, needed in conditions.items() if needed}


def lacking(wanted: Iterable[Capability]) -> list[Capability]:
    """Those of ``wanted`` that are not here, in the order of :class:`Capability`.

    Tries each in a namespace that is gone afterwards. Raises :class:`KernelError` where there can
    be no namespace at all.
    """
    name = f"vnet-probe-{os.getpid()}"
    namespaces.create(name)
    try:
        asked = set(wanted)
        return [each for each in Capability if each in asked and not _Probe(name).has(each)]
    finally:
        namespaces.remove(name)


class _Probe:
    """Tries things in the namespace ``name``, and takes them away again."""

    def __init__(self, name: str) -> None:
        self._name = name

    def has(self, capability: Capability) -> bool:
        trials: dict[Capability, Callable[[], bool]] = {
            Capability.VETH: lambda: self._makes(kind="veth", peer={"ifname": "probe1"}),
            Capability.BRIDGE: lambda: self._makes(kind="bridge"),
            Capability.VLAN: self._makes_vlan,
            Capability.VLAN_FILTERING: lambda: self._makes(kind="bridge", br_vlan_filtering=1),
            Capability.VXLAN: lambda: self._makes(kind="vxlan", vxlan_id=1, vxlan_port=4789),
            Capability.BR_NETFILTER: lambda: self._has_file("net/bridge/bridge-nf-call-iptables"),
            Capability.IPV6: lambda: self._has_file("net/ipv6/conf/all/forwarding"),
            Capability.IPTABLES: self._has_iptables,
            Capability.TC: lambda: has_program("tc"),
            Capability.REDIRECTION: self._redirects,
            Capability.NETEM: lambda: self._queues("netem delay 1ms"),
            Capability.TBF: lambda: self._queues("tbf rate 1gbit burst 100k latency 1s"),
            Capability.DNSMASQ: lambda: has_program("dnsmasq"),
            Capability.RADVD: lambda: has_program("radvd"),
            Capability.DHCLIENT: lambda: has_program("dhclient"),
        }
        return trials[capability]()

    def _makes(self, **values: Any) -> bool:
        from pyroute2 import IPRoute
        from pyroute2.netlink.exceptions import NetlinkError

        with namespaces.inside(self._name), IPRoute() as socket:
            try:
                socket.link("add", ifname="probe0", **values)
            except NetlinkError:
                return False
            try:
                return self._holds(socket, values)
            finally:
                socket.link("del", ifname="probe0")

    def _holds(self, socket: Any, values: dict[str, Any]) -> bool:
        """Whether the kernel did what it was told: what it does not know it may pass over."""
        if "br_vlan_filtering" not in values:
            return True
        shown = socket.get_links(ifname="probe0")[0]
        told = shown.get_nested("IFLA_LINKINFO", "IFLA_INFO_DATA", "IFLA_BR_VLAN_FILTERING")
        return bool(told)

    def _makes_vlan(self) -> bool:
        from pyroute2 import IPRoute
        from pyroute2.netlink.exceptions import NetlinkError

        with namespaces.inside(self._name), IPRoute() as socket:
            socket.link("add", ifname="probe2", kind="veth", peer={"ifname": "probe3"})
            lower = socket.link_lookup(ifname="probe2")[0]
            try:
                socket.link("add", ifname="probe4", kind="vlan", link=lower, vlan_id=1)
            except NetlinkError:
                return False
            finally:
                socket.link("del", index=lower)
            return True

    def _has_file(self, name: str) -> bool:
        with namespaces.inside(self._name):
            return Path("/proc/sys", name).exists()

    def _has_iptables(self) -> bool:
        rules = "*nat\n-A POSTROUTING -o probe0 -j MASQUERADE\nCOMMIT\n"
        return has_program("iptables-restore") and self._runs(["iptables-restore"], rules)

    def _redirects(self) -> bool:
        match = "protocol all u32 match u32 0 0 action mirred egress redirect dev lo"
        lines = f"qdisc add dev lo ingress\nfilter add dev lo parent ffff: {match}\n"
        return has_program("tc") and self._runs(["tc", "-batch", "-"], lines)

    def _queues(self, words: str) -> bool:
        return has_program("tc") and self._runs(
            ["tc", "qdisc", "add", "dev", "lo", "root", *words.split()]
        )

    def _runs(self, command: list[str], text: str = "") -> bool:
        with namespaces.inside(self._name):
            done = run_program(command, text)
        if command[0] == "tc":
            with namespaces.inside(self._name):
                for place in ("root", "ingress"):
                    run_program(["tc", "qdisc", "del", "dev", "lo", place])
        return done.returncode == 0
