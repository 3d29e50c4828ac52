"""Mirrors: by port and VLAN, to a port or a VLAN, cut or whole, of NORMAL and of flows."""

from __future__ import annotations

from tests.ovs.recorded.script import BRIDGE, Script

N_PORTS = 6
VLANS = (10, 20, 30)
_PORTS = (*(f"p{number}" for number in range(1, N_PORTS + 1)), BRIDGE)
_MACS = (*(f"02:00:00:00:00:{number:02x}" for number in range(1, 5)), "ff:ff:ff:ff:ff:ff")
_MODES = (
    *("", "", "tag=10", "tag=10", "tag=20", "trunks=10,20", "trunks=20,30"),
    *("vlan_mode=native-tagged tag=10", "vlan_mode=native-untagged tag=20 trunks=10,30"),
    *("vlan_mode=dot1q-tunnel tag=30", "tag=10 other_config:priority-tags=always"),
)
_FLOWS = (
    *("in_port=1,actions=output:2", "in_port=2,actions=output:1,output:3", "ip,actions=all"),
    *("in_port=3,actions=mod_vlan_vid:20,normal", "in_port=4,ip,actions=flood", "actions=drop"),
    *("in_port=1,ip,actions=set_field:02:00:00:00:00:09->eth_dst,normal", "actions=in_port"),
    *("in_port=2,actions=resubmit(,1),output:4", "table=1,actions=push_vlan:0x8100,output:1"),
    *("in_port=1,ip,actions=output(port=2,max_len=40)", "in_port=5,actions=clone(output:1),normal"),
    *("dl_vlan=10,actions=strip_vlan,output:5", "actions=group:1", "in_port=6,actions=local,p1"),
)


def draw(script: Script) -> None:
    script.bridge()
    for number in range(1, N_PORTS + 1):
        script.port(f"p{number}", number, script.choose(*_MODES))
    script.ofctl(
        f"-OOpenFlow15 add-group {BRIDGE} "
        "group_id=1,type=all,bucket=output:1,bucket=output:2,normal"
    )
    script.ofctl(f"add-flow {BRIDGE} priority=0,actions=normal")
    if script.happens(0.6):
        for priority, flow in enumerate(script.some(_FLOWS)[:5], 1):
            script.ofctl(f"-OOpenFlow15 add-flow {BRIDGE} priority={priority},{flow}")
    if script.happens(0.2):
        _add_patch(script)
    scene = Scene(script)
    scene.add_mirrors()
    for _ in range(script.number(1, 3)):
        for _ in range(script.number(3, 8)):
            script.receive(script.choose(*scene.ports), _frame(script))
        if script.happens(0.4):
            scene.change()
    scene.show()


def _add_patch(script: Script) -> None:
    """Another bridge behind a patch port, with a station of its own."""
    script.bridge("br1", dpid=2)
    script.port("q1", 1, bridge="br1")
    script.vsctl(
        f"add-port {BRIDGE} to1 -- set interface to1 type=patch options:peer=to0 "
        "-- add-port br1 to0 -- set interface to0 type=patch options:peer=to1"
    )
    script.ofctl("add-flow br1 actions=normal")
    script.receive("q1", f"udp,dl_src={_MACS[3]},dl_dst={_MACS[0]}")


def _frame(script: Script) -> str:
    source, target = script.choose(*_MACS[:4]), script.choose(*_MACS)
    words = [script.choose("udp", "tcp", "icmp", "arp", "udp6", "dl_type=0x88b5")]
    words += [f"dl_src={source}", f"dl_dst={target}"]
    if script.happens(0.45):
        words.append(f"dl_vlan={script.choose(*VLANS)},dl_vlan_pcp={script.choose(0, 5)}")
    if script.happens(0.04):
        words[2] = "dl_dst=01:80:c2:00:00:00"
    return ",".join(words)


class Scene:
    """The ports and mirrors that there are."""

    def __init__(self, script: Script) -> None:
        self.ports = list(_PORTS)
        self._script = script
        self._mirrors = [f"m{number}" for number in range(script.choose(1, 1, 2, 2, 3, 5))]

    def add_mirrors(self) -> None:
        """One after another, as rows that come together get their numbers in no order."""
        for name in self._mirrors:
            columns, ports = self._columns()
            finding = "".join(f"-- --id=@{port} get port {port} " for port in ports)
            self._script.vsctl(
                f"{finding}-- --id=@{name} create mirror name={name} {columns} "
                f"-- add bridge {BRIDGE} mirrors @{name}"
            )

    def _columns(self) -> tuple[str, list[str]]:
        """Settings of a mirror, and the ports that they name."""
        script = self._script
        words, used = [], set()
        for column in ("select_src_port", "select_dst_port"):
            if script.happens(0.6):
                ports = script.some(self.ports, 1)[:3]
                words.append(f"{column}={','.join(f'@{port}' for port in ports)}")
                used.update(ports)
        if not words or script.happens(0.15):
            words.append("select_all=true")
        if script.happens(0.3):
            words.append(f"select_vlan={','.join(map(str, script.some((0, *VLANS), 1)))}")
        if script.happens(0.75):
            port = script.choose(*self.ports)
            words.append(f"output_port=@{port}")
            used.add(port)
        else:
            words.append(f"output_vlan={script.choose(*VLANS, 40)}")
        if script.happens(0.3):
            words.append(f"snaplen={script.choose(14, 20, 60, 100, 65535)}")
        return " ".join(words), sorted(used)

    def change(self) -> None:
        """Something is configured while frames pass."""
        script, name = self._script, self._script.choose(*self._mirrors)
        match script.number(1, 8):
            case 1:
                script.vsctl(f"set mirror {name} snaplen={script.choose(14, 64)}")
            case 2:
                script.vsctl(f"clear mirror {name} select_dst_port")
            case 3:
                script.vsctl(f"set mirror {name} select_all=true")
            case 4:
                script.vsctl(f"clear mirror {name} output_port")
            case 5:
                script.vsctl(f"set mirror {name} select_vlan={script.choose(*VLANS)}")
            case 6:
                gone = script.choose(*self.ports[:-1])
                self.ports.remove(gone)
                script.vsctl(f"del-port {gone}")
            case 7:
                script.vsctl(f"clear bridge {BRIDGE} mirrors")
                self.add_mirrors()
            case 8:
                script.vsctl(f"clear bridge {BRIDGE} mirrors")
                self._mirrors = self._mirrors[:1]
                self.add_mirrors()

    def show(self) -> None:
        script = self._script
        script.show(f"ovs-appctl fdb/show {BRIDGE}")
        script.show(f"ovs-ofctl --no-names dump-ports {BRIDGE}")
        # The daemon writes statistics every five seconds.
        script.warp(5_000)
        script.warp(5_000)
        for name in self._mirrors:
            script.show(f"ovs-vsctl --if-exists get mirror {name} statistics")
