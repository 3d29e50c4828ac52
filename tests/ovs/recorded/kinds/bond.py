"""Bonds: stations and flows over two or three links that fail, come back and are chosen.

What Open vSwitch leaves to the order of a hash table of pointers is avoided: links come up one
after the other, of three links the active one stays, and where connections are spread only one link
works at the time that the table is filled.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.ovs.recorded.script import BRIDGE, Script, frame_of
from vnet.base.ids import Mac
from vnet.wire import ether, lacp
from vnet.wire.lacp import Info, Pdu, State

_INSIDE = ("p5", "p6", "p7")
_INSIDE_MODES = ("", "", "tag=10", "tag=20", "trunks=10,20")
_BOND_MODES = ("", "", "", "trunks=10,20", "vlan_mode=native-untagged tag=10", "tag=10")
_INTERVAL_MS = 1_000
_FRAME_BYTES = 1_500


def draw(script: Script) -> None:
    mode = script.choose(*("active-backup", "balance-slb", "balance-slb", "balance-tcp"))
    members = ("p1", "p2") if mode == "balance-tcp" or script.happens(0.6) else ("p1", "p2", "p3")
    _Scene(script, mode, members).play()


@dataclass
class _Scene:
    """A bond, who is behind the switch and who is behind the bond."""

    script: Script
    mode: str
    members: tuple[str, ...]
    down: set[str] = field(default_factory=set)
    balances: bool = False

    def play(self) -> None:
        script = self.script
        self.balances = self.mode != "active-backup" and script.happens(0.5)
        script.bridge(columns=script.choose("", "", "flood-vlans=20"))
        for number, port in enumerate(_INSIDE, 5):
            script.port(port, number, script.choose(*_INSIDE_MODES))
        script.vsctl(self._bond())
        script.ofctl(f"add-flow {BRIDGE} actions=normal")
        self._bring_up()
        for _ in range(script.number(3, 6)):
            for _ in range(script.number(2, 6)):
                self._frame()
            self._pass_time()
            self._happen()
            self._show()
        if self.balances:
            self._load()

    # -- setting up

    def _bond(self) -> str:
        script = self.script
        settings = [f"bond_mode={self.mode}", script.choose(*_BOND_MODES)]
        settings.append(
            f"other_config:bond-rebalance-interval={_INTERVAL_MS if self.balances else 0}"
        )
        if self.mode == "balance-tcp":
            settings += ["lacp=active", f"other_config:bond-hash-basis={script.choose(0, 7)}"]
        elif not self.balances:
            settings.append(f"bond_updelay={script.choose(0, 0, 300, -1)}")
            settings.append(f"bond_downdelay={script.choose(0, 0, 200)}")
        if self.mode == "active-backup":
            # Of three links the primary one would be active again, whoever is chosen.
            primaries = ("p1", "p2", "nobody") if len(self.members) == 2 else ("nobody",)
            settings.append(f"other_config:bond-primary={script.choose(*primaries)}")
        if self.mode == "balance-slb":
            settings.append(f"other_config:all-members-active={script.choose('true', 'false')}")
            settings.append(f"other_config:bond-hash-basis={script.choose(0, 0, 4294967295)}")
        words = (
            f"add-bond {BRIDGE} bond0 {' '.join(self.members)} {' '.join(filter(None, settings))}"
        )
        for number, port in enumerate(self.members, 1):
            words += f" -- set interface {port} type=dummy ofport_request={number}"
            words += " other_config:lacp-aggregation-key=3"
        return words

    def _bring_up(self) -> None:
        """One link after the other, so that both switches have them in the same order."""
        for port in self.members:
            self._set_link(port, "down")
        for port in self.members:
            self._set_link(port, "up")
            self._pass_time()
            if self.mode == "balance-tcp":
                self._partner_speaks(port)

    def _partner_speaks(self, port: str) -> None:
        """The other switch agrees on a link; it is heard for ninety seconds."""
        state = State.ACTIVITY | State.AGGREGATION | State.SYNCHRONIZATION
        partner = Info(9, Mac(b"\x02\0\0\0\0\x63"), 5, 1, int(port[1:]), state)
        payload = lacp.emit(Pdu(partner, lacp.NOBODY))
        frame = ether.frame(lacp.TARGET, partner.system, lacp.ETHER_TYPE, payload)
        self.script.receive(port, frame)

    # -- what happens

    def _frame(self) -> None:
        """From a station inside, or from beyond the bond, where one of the inside may be seen."""
        script = self.script
        number = script.number(1, 12)
        source = f"02:00:00:00:00:{number:02x}"
        target = script.choose(f"02:00:00:00:00:{script.number(1, 20):02x}", "ff:ff:ff:ff:ff:ff")
        port = script.choose(*_INSIDE)
        if script.happens(0.4):
            port = script.choose(*self.members)
            if script.happens(0.7):
                source = f"02:00:00:00:00:{number + 12:02x}"
        kind = script.choose(
            "udp,udp_dst={n}", "tcp,tcp_src={n},nw_dst=10.0.0.{n}", "arp,arp_op={o}"
        )
        if kind.startswith("arp"):
            # Half of these announce a station that has moved.
            target = script.choose(target, "ff:ff:ff:ff:ff:ff")
        words = [kind.format(n=script.number(1, 99), o=script.choose(1, 2))]
        words += [f"dl_src={source}", f"dl_dst={target}"]
        if script.happens(0.3):
            words.append(f"dl_vlan={script.choose(10, 20)},dl_vlan_pcp={script.choose(0, 3)}")
        script.receive(port, ",".join(words))

    def _happen(self) -> None:
        script = self.script
        port = script.choose(*self.members)
        match script.number(1, 8):
            case 1 | 2 | 3 | 4:
                self._toggle(port)
            case 5:
                script.appctl(f"bond/set-active-member bond0 {port}")
            case 6:
                script.appctl(f"bond/migrate bond0 {script.number(0, 300)} {port}")
            case 7:
                self._tell(port)
            case 8:
                self._configure(port)

    def _toggle(self, port: str) -> None:
        """A link fails or comes back."""
        if len(self.members) > 2 and port not in self.down:
            other = self.script.choose(*(member for member in self.members if member != port))
            if other in self.down:
                return
            self.script.appctl(f"bond/set-active-member bond0 {other}")
        self._set_link(port, "up" if port in self.down else "down")
        self._pass_time()

    def _tell(self, port: str) -> None:
        """A command that the state of the link corrects at once."""
        if len(self.members) == 2 and self.mode != "balance-tcp":
            self.script.appctl(
                f"bond/{self.script.choose('enable', 'disable')}-member bond0 {port}"
            )
            self._pass_time()

    def _configure(self, port: str) -> None:
        script = self.script
        if self.mode == "active-backup" and len(self.members) == 2:
            script.vsctl(f"set port bond0 other_config:bond-primary={port}")
        elif self.mode == "balance-slb":
            script.vsctl(f"set port bond0 other_config:bond-hash-basis={script.number(0, 9)}")
        script.vsctl(f"set port bond0 bond_downdelay={script.choose(0, 100)}")

    def _set_link(self, port: str, state: str) -> None:
        (self.down.add if state == "down" else self.down.discard)(port)
        self.script.appctl(f"netdev-dummy/set-admin-state {port} {state}")
        self._pass_time()

    def _pass_time(self) -> None:
        """Load is moved when statistics have been taken, so that is waited for."""
        if self.balances:
            self.script.warp(500)
            self.script.appctl("revalidator/wait")
        else:
            self.script.warp(self.script.choose(100, 200, 400), 100)

    def _load(self) -> None:
        """Traffic that one link would carry alone, until it is spread."""
        script = self.script
        for port in self.members:
            if port in self.down:
                self._set_link(port, "up")
        flows = [
            f"udp,dl_src=02:00:00:00:00:{script.number(1, 60):02x},dl_dst=02:00:00:00:00:ff,"
            f"udp_dst={script.number(1, 500)}"
            for _ in range(6)
        ]
        for _ in range(4):
            for flow in script.some(flows, 3):
                script.receive("p5", *[_padded(flow)] * script.choose(1, 9, 30, 60))
            self._pass_time()
            script.show("ovs-appctl bond/show bond0")
            self._pass_time()
            script.show("ovs-appctl bond/show bond0")

    def _show(self) -> None:
        self.script.show("ovs-appctl bond/show")
        self.script.show("ovs-appctl fdb/stats-show br0")


def _padded(flow: str) -> bytes:
    """A frame that is as long as they come."""
    return frame_of(flow).ljust(_FRAME_BYTES, b"\0")
