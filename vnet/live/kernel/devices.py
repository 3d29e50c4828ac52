"""The devices of a plan, made one by one over rtnetlink.

A device gets the number that it has in the lab, whatever the order in which it is made: a kernel
goes by numbers where it lists, and where nothing else decides.
"""

from __future__ import annotations

from typing import Any

from vnet.base.ids import MAC_ZERO, ip_text, mac_text
from vnet.live.kernel.netlink import IFF_MULTICAST, IFF_NOARP, Netlink
from vnet.live.kernel.plan import (
    BridgePlan,
    DevicePlan,
    Kind,
    NodePlan,
    Plan,
    PortPlan,
    VlanPlan,
    VxlanPlan,
)
from vnet.topology.model import Address, Endpoint

_VXLAN_MTU_BYTES = 65_485
"""As much as the kernel lets such a device take: the underlay has the say."""

_PROTOCOLS = {0x8100: "802.1q", 0x88A8: "802.1ad"}
_SHORT = {"interval": "intvl", "count": "cnt"}
_PORT_NAMES = {
    "hairpin": "mode",
    "root_block": "protect",
    "fastleave": "fast_leave",
    "flood": "unicast_flood",
    "mcast_to_unicast": "mcast_to_ucast",
    "mcast_router": "multicast_router",
}
"""Where rtnetlink has another word than bridge(8)."""


class Devices:
    """Makes the devices of ``plan``."""

    def __init__(self, plan: Plan, netlink: Netlink) -> None:
        self._plan = plan
        self._netlink = netlink
        self._indices = {
            node.name: {device.name: index for index, device in enumerate(node.devices, 1)}
            for node in plan.nodes
        }

    def index(self, node: str, device: str) -> int:
        """The number of a device."""
        return self._indices[node][device]

    # -- making

    def add_pair(self, one: Endpoint, other: Endpoint) -> None:
        """``ip link add type veth``, its ends in two namespaces or in one."""
        described = self._described(other)
        peer = _attributes(described | {"net_ns_fd": self._netlink.namespace(other.node)})
        self._add_veth(one, {"index": described["index"], "attrs": peer})

    def add_far_end(
        self, end: Endpoint, namespace: str, name: str, most_bytes: int | None = None
    ) -> None:
        """A card whose far end lies in ``namespace``, and takes ``most_bytes`` (as an mtu)."""
        mtu_bytes = self._plan.node(end.node).device(end.device).mtu_bytes
        mtu_bytes = min(mtu_bytes, most_bytes or mtu_bytes)
        values = {"ifname": name, "net_ns_fd": namespace, "mtu": mtu_bytes}
        self._add_veth(end, {"attrs": _attributes(values)})

    def _add_veth(self, end: Endpoint, peer: dict[str, Any]) -> None:
        # pyroute2 would leave out the number of the peer.
        data = [["VETH_INFO_PEER", peer]]
        kind = [["IFLA_INFO_KIND", "veth"], ["IFLA_INFO_DATA", {"attrs": data}]]
        values = self._described(end) | {"IFLA_LINKINFO": {"attrs": kind}}
        self._netlink.link(end.node, f"veth {end.device}", "add", **values)

    def _described(self, end: Endpoint) -> dict[str, Any]:
        device = self._plan.node(end.node).device(end.device)
        found: dict[str, Any] = {"ifname": device.name, "index": self.index(end.node, device.name)}
        if device.mac != MAC_ZERO:
            found["address"] = mac_text(device.mac)
        if device.mtu_bytes:
            found["mtu"] = device.mtu_bytes
        return found

    def add_bridge(self, node: str, bridge: BridgePlan) -> None:
        """``ip link add type bridge``. It has all its settings before it has ports."""
        what = f"bridge {bridge.name}"
        options = {_bridge_option(name): value for name, value in bridge.options.items()}
        own = {} if bridge.mac in (None, MAC_ZERO) else {"address": mac_text(bridge.mac or b"")}
        index = self.index(node, bridge.name)
        self._netlink.link(node, what, "add", ifname=bridge.name, index=index, kind="bridge", **own)
        for name, value in options.items():
            self._netlink.link(
                node, f"{what}: {name} {value}", "set", index=index, kind="bridge", **{name: value}
            )

    def add_vlan(self, node: str, vlan: VlanPlan) -> None:
        """``ip link add link LOWER type vlan``."""
        self._netlink.link(
            node,
            f"VLAN {vlan.vid} of {vlan.lower}",
            "add",
            kind="vlan",
            link=self.index(node, vlan.lower),
            vlan_id=vlan.vid,
            vlan_protocol=vlan.protocol,
            **self._described(Endpoint(node, vlan.name)),
        )

    def add_vxlan(self, node: str, vxlan: VxlanPlan) -> None:
        """``ip link add type vxlan``; more remotes than one are entries of its own database."""
        values: dict[str, Any] = {
            "vxlan_id": vxlan.vni,
            "vxlan_port": vxlan.udp_port,
            "vxlan_ttl": vxlan.ttl,
            "vxlan_tos": vxlan.tos,
            "vxlan_learning": 1,
            "vxlan_df": int(vxlan.dont_fragment),
            "vxlan_udp_csum": int(vxlan.has_checksum),
        }
        family = "6" if len(vxlan.remotes[0]) == 16 else ""
        if vxlan.local is not None:
            values[f"vxlan_local{family}"] = ip_text(vxlan.local)
        if len(vxlan.remotes) == 1:
            values[f"vxlan_group{family}"] = ip_text(vxlan.remotes[0])
        if family:
            values["vxlan_udp_zero_csum6_tx"] = values["vxlan_udp_zero_csum6_rx"] = 1
        what, index = f"VXLAN {vxlan.vni} as {vxlan.name}", self.index(node, vxlan.name)
        self._netlink.link(
            node, what, "add", ifname=vxlan.name, index=index, kind="vxlan",
            mtu=_VXLAN_MTU_BYTES, **values,
        )  # fmt: skip
        for remote in vxlan.remotes if len(vxlan.remotes) > 1 else ():
            self._netlink.ask(
                node, f"{what}: {ip_text(remote)}", "fdb", "append", ifindex=index,
                lladdr=mac_text(MAC_ZERO), dst=ip_text(remote),
            )  # fmt: skip

    # -- settings

    def set_flags(self, node: str, device: DevicePlan) -> None:
        """``ip link set arp off multicast off``, where the lab says so."""
        wanted = IFF_NOARP * (not device.arp) | IFF_MULTICAST * device.multicast
        fresh = IFF_MULTICAST
        if device.kind is not Kind.LOOPBACK and wanted != fresh:
            self._netlink.link(
                node,
                f"flags of {device.name}",
                "set",
                index=self.index(node, device.name),
                flags=wanted,
                change=IFF_NOARP | IFF_MULTICAST,
            )

    def join(self, node: str, port: PortPlan) -> None:
        """``ip link set master``, and what bridge(8) sets of ports."""
        index = self.index(node, port.device)
        if port.device != port.bridge:
            what = f"{port.device} as a port of {port.bridge}"
            master = self.index(node, port.bridge)
            self._netlink.link(node, what, "set", index=index, master=master)
        for name, value in port.settings.items():
            attribute = _PORT_NAMES.get(name, name)
            what = f"{port.device}: {name} {value}"
            self._netlink.ask(node, what, "brport", "set", index=index, **{attribute: value})

    def set_vlans(self, node: str, port: PortPlan) -> None:
        """``bridge vlan``: all VLANs that a port is in, and no other."""
        index = self.index(node, port.device)
        own: dict[str, Any] = {"flags": 2} if port.device == port.bridge else {}
        what = f"VLANs of {port.device}"
        for vid in {1} - set(port.vlans):
            self._netlink.ask(
                node, what, "vlan_filter", "del", index=index, vlan_info={"vid": vid}, **own
            )
        for vid, (pvid, untagged) in port.vlans.items():
            flags = [word for word, on in (("pvid", pvid), ("untagged", untagged)) if on]
            info: dict[str, Any] = {"vid": vid, **({"flags": flags} if flags else {})}
            self._netlink.ask(node, what, "vlan_filter", "add", index=index, vlan_info=info, **own)

    def add_address(self, node: str, device: DevicePlan, address: Address) -> None:
        """``ip addr add``, with the broadcast address that the lab has."""
        text = ip_text(address.ip)
        values: dict[str, Any] = {}
        if len(address.ip) == 4 and address.prefix_length < 31:
            host_bits = (1 << (32 - address.prefix_length)) - 1
            last = int.from_bytes(address.ip, "big") | host_bits
            values["broadcast"] = ip_text(last.to_bytes(4, "big"))
        self._netlink.ask(
            node,
            f"{text}/{address.prefix_length} on {device.name}",
            "addr",
            "replace",
            index=self.index(node, device.name),
            address=text,
            prefixlen=address.prefix_length,
            **values,
        )

    def set_up(self, node: str, device: DevicePlan, *, up: bool = True) -> None:
        """``ip link set up``, or ``down``."""
        state = "up" if up else "down"
        what = f"{device.name} {state}"
        index = self.index(node, device.name)
        self._netlink.link(node, what, "set", index=index, state=state)

    def mark(self, node: NodePlan) -> None:
        """Say on the loopback whose namespace this is; ``ip link`` shows it."""
        alias = f"vnet up --kernel: {node.name} of {self._plan.lab}"
        self._netlink.link(node.name, "alias of lo", "set", index=1, ifalias=alias)


def _attributes(values: dict[str, Any]) -> list[list[Any]]:
    """Values as rtnetlink attributes of a link; the index is none."""
    return [[f"IFLA_{name.upper()}", value] for name, value in values.items() if name != "index"]


def _bridge_option(name: str) -> str:
    """What rtnetlink calls an option of ip-link(8)."""
    head, _, last = name.rpartition("_")
    if name.startswith("mcast_") and last in _SHORT:
        name = f"{head}_{_SHORT[last]}"
    return f"br_{name}"
