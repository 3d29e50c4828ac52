"""Tunnels: what they put around frames, which of them gets a packet, what faulty ones come to.

``int-br`` has stations and tunnels; ``br0`` is the underlay, whose own device has the addresses.
"""

from __future__ import annotations

from tests.ovs.recorded.script import BRIDGE, Script
from vnet.base.ids import ip_from_text, mac_from_text
from vnet.ovs.flow.compose import compose
from vnet.ovs.flow.match_parse import parse_exact_flow
from vnet.wire import ether, geneve, gre, udp, vxlan
from vnet.wire import ipv4 as ipv4_header

OVERLAY = "int-br"
US = "1.1.2.88"
US_6 = "2001:cafe::88"
FAR = "2001:cafe::92"
NEAR = ("1.1.2.92", "1.1.2.93")
BEYOND = "9.9.0.7"
GATEWAY = "1.1.2.99"
ROUTES = ((f"{NEAR[0]}/24", ""), ("9.9.0.0/16", GATEWAY), (f"{FAR}/64", ""))
KEYS = (0, 5, 77, 5001, 0xFFFFFF)
FIRST_TUNNEL = 10
_INNER = (
    *("udp", "tcp", "icmp", "arp", "udp6", "dl_type=0x88b5"),
    *("udp,nw_tos=184,nw_ecn=3,nw_ttl=2", "tcp,nw_ecn=1,dl_vlan=7", "tcp6,nw_tos=64,nw_ecn=2"),
)
_BEFORE_OUTPUT = (
    *("", "", "", "set_field:5->tun_id,", "set_field:77->tun_id,set_field:1.1.2.93->tun_dst,"),
    *("set_field:1.1.2.92->tun_dst,", "push_vlan:0x8100,set_field:4100->vlan_vid,"),
    *("set_field:02:00:00:00:00:77->eth_dst,", "load:1->NXM_NX_PKT_MARK[],"),
    *("set_field:9.9.0.7->tun_dst,", "set_field:1.1.2.88->tun_src,"),
)
_OUTPUT = ("output:{}", "output:{}", "output(port={},max_len=80)", "clone(output:{}),output:2")
_RECEIVING = (
    *("actions=output:2", "actions=output:2", "actions=move:NXM_NX_TUN_ID[0..31]->NXM_NX_REG0[],2"),
    *("ip,tun_dst=1.1.2.88,actions=output:2", "tun_id=5,actions=2", "tun_flags=+oam,actions=drop"),
    *("actions=in_port,2", "tun_src=1.1.2.92,ip,actions=dec_ttl,2"),
)


def draw(script: Script) -> None:
    script.bridge()
    script.bridge(OVERLAY, dpid=2)
    script.port("p0", 1)
    script.port("v1", 1, bridge=OVERLAY)
    script.port("v2", 2, bridge=OVERLAY)
    script.appctl(f"netdev-dummy/ip4addr {BRIDGE} {US}/24")
    script.appctl(f"netdev-dummy/ip6addr {BRIDGE} {US_6}/64")
    scene = Scene(script)
    scene.add_ways()
    for _ in range(script.choose(1, 2, 2, 3)):
        scene.add_tunnel()
    scene.add_flows()
    for _ in range(script.number(2, 4)):
        for _ in range(script.number(3, 6)):
            scene.frame()
        if script.happens(0.5):
            scene.change()
    scene.show()


class Scene:
    """The tunnels that there are."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._tunnels: list[str] = []
        self._routes = [route for route in ROUTES if script.happens(0.9)]

    def add_ways(self) -> None:
        for target, gateway in self._routes:
            self._script.appctl(f"ovs/route/add {target} {BRIDGE} {gateway}".rstrip())
        self._add_neighbors()

    def _add_neighbors(self) -> None:
        """All that there are. The real switch asks for others as often as its threads look at
        flows, which is when they like.
        """
        for number, ip in enumerate((*NEAR, GATEWAY, FAR)):
            self._script.appctl(f"tnl/neigh/set {BRIDGE} {ip} f8:bc:12:44:34:{number:02x}")

    def add_tunnel(self) -> None:
        name = f"t{FIRST_TUNNEL + len(self._tunnels)}"
        kind = self._script.choose("vxlan", "vxlan", "gre", "gre", "geneve")
        options = "".join(f" 'options:{option}'" for option in self._options(kind))
        self._script.vsctl(
            f"add-port {OVERLAY} {name} -- set interface {name} ofport_request={name[1:]} "
            f"type={kind}{options}"
        )
        self._tunnels.append(name)

    def _options(self, kind: str) -> list[str]:
        script = self._script
        options = [f'remote_ip="{script.choose(*NEAR, BEYOND, "flow", "flow", FAR)}"']
        options += script.choose(
            [],
            [f"key={script.choose(*KEYS)}"],
            ["key=flow"],
            ["in_key=5", "out_key=flow"],
            ["in_key=flow", "out_key=77"],
        )
        for option, probability in (
            (f"csum={script.choose('true', 'false')}", 0.3),
            (f"tos={script.choose('inherit', '0x10', '0xfc')}", 0.3),
            (f"ttl={script.choose('inherit', '9', '255')}", 0.3),
            ("df_default=false", 0.2),
        ):
            if script.happens(probability):
                options.append(option)
        if kind == "gre":
            options += script.choose([], ["seq=true"])
        elif script.happens(0.15):
            options.append("dst_port=8472")
        return options

    def add_flows(self) -> None:
        script = self._script
        if script.happens(0.7):
            script.ofctl(f"add-flow {BRIDGE} actions=normal")
        else:
            script.ofctl(
                f"add-flow {BRIDGE} in_port=LOCAL,udp,nw_dst=1.1.2.0/24,"
                "actions=mod_dl_dst:02:00:00:00:00:99,1"
            )
            script.ofctl(f"add-flow {BRIDGE} priority=1,actions=normal")
        self._add_way_out()
        script.ofctl(f"-OOpenFlow15 add-flow {OVERLAY} priority=5,{script.choose(*_RECEIVING)}")

    def _add_way_out(self) -> None:
        script = self._script
        number = script.number(FIRST_TUNNEL, FIRST_TUNNEL + len(self._tunnels) - 1)
        actions = script.choose(*_BEFORE_OUTPUT) + script.choose(*_OUTPUT).format(number)
        script.ofctl(f"-OOpenFlow15 add-flow {OVERLAY} in_port=1,actions={actions}")

    # -- while frames pass

    def frame(self) -> None:
        script = self._script
        if script.happens(0.5):
            script.receive("v1", _inner(script))
        else:
            frame = _outer(script)
            script.receive("p0", _spoilt(script, frame) if script.happens(0.4) else frame)

    def change(self) -> None:
        """Something is configured, or heard."""
        script, name = self._script, self._script.choose(*self._tunnels)
        match script.number(1, 7):
            case 1:
                script.vsctl(f"set interface {name} options:key={script.choose(*KEYS)}")
            case 2:
                script.vsctl(f"set interface {name} options:remote_ip={script.choose(*NEAR)}")
            case 3:
                self._add_way_out()
            case 4:
                self.add_tunnel()
            case 5:
                script.appctl(f"tnl/neigh/set {BRIDGE} {NEAR[0]} f8:bc:12:44:34:77")
            case 6:
                words = f"arp_spa={NEAR[1]},arp_tpa={US},arp_sha=02:00:00:00:00:93,arp_op=2"
                script.receive(
                    "p0", f"arp,dl_src=02:00:00:00:00:93,dl_dst=aa:55:aa:55:01:00,{words}"
                )
            case 7:
                script.appctl("tnl/neigh/flush")
                self._add_neighbors()

    def show(self) -> None:
        script = self._script
        script.show(f"ovs-appctl ofproto/trace {OVERLAY} in_port=1,udp,nw_tos=4")
        for target, _ in self._routes:
            script.show(f"ovs-appctl ovs/route/lookup {target.split('/')[0]}")
        script.show(f"ovs-ofctl --no-names dump-ports {OVERLAY}")
        script.show(f"ovs-ofctl --no-names dump-flows {BRIDGE}")
        script.show(f"ovs-ofctl --no-names dump-flows {OVERLAY}")
        for target, _ in self._routes:
            # They would outlive the bridge.
            script.appctl(f"ovs/route/del {target}")


def _inner(script: Script) -> bytes:
    words = f"{script.choose(*_INNER)},dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02"
    return compose(parse_exact_flow(words))


def _outer(script: Script) -> bytes:
    """A packet of a tunnel, to us."""
    ips = ip_from_text(script.choose(*NEAR, BEYOND)), ip_from_text(US)
    key, inner = script.choose(*KEYS), _inner(script)
    protocol = udp.PROTOCOL
    match script.choose("vxlan", "vxlan", "geneve", "gre", "gre"):
        case "vxlan":
            data = udp.emit(*ips, 50_000, vxlan.UDP_PORT, vxlan.emit(key) + inner)
        case "geneve":
            data = udp.emit(*ips, 50_000, geneve.UDP_PORT, geneve.emit(key) + inner)
        case _:
            protocol = gre.PROTOCOL
            sequence = script.choose(None, None, 3)
            data = gre.emit(key=script.choose(key, key, None), sequence=sequence) + inner
    tos = script.choose(0, 0, 0x10, 3, 1)
    packet = ipv4_header.emit(*ips, protocol, data, tos=tos, ttl=script.choose(64, 1))
    to, source = mac_from_text("aa:55:aa:55:01:00"), mac_from_text("f8:bc:12:44:34:00")
    return ether.frame(to, source, ether.TYPE_IPV4, packet)


def _spoilt(script: Script, frame: bytes) -> bytes:
    """With some byte of the outer headers changed, or cut."""
    changed = bytearray(frame)
    changed[script.number(ether.HEADER_BYTES, min(60, len(changed) - 1))] ^= 1 << script.number(
        0, 7
    )
    if script.happens(0.3):
        del changed[script.number(ether.HEADER_BYTES, len(changed) - 1) :]
    return bytes(changed)
