"""A case of ``groups_script.py`` in vnet."""

from __future__ import annotations

from typing import Any

from tests.linux.bridge.bridges import Wire
from tests.linux.bridge.recorded.groups_script import PORTS, GroupCase, host_mac, port_mac
from vnet.base.chance import Chance
from vnet.base.ids import Mac
from vnet.linux.bridge.multicast.config import set_multicast
from vnet.linux.netns.namespace import Namespace
from vnet.netdev.pair import PairDevice, pair_up
from vnet.shell.commands import bridge as command
from vnet.shell.commands.bridge_scene import Scene
from vnet.sim.frame import Frame
from vnet.sim.scheduler import Scheduler

S = 1_000_000_000
_MOMENT_S = 0.01
_SETTLING_S = 1.22
"""How long ports are given to come up; what fires in one tick of the timer wheel depends on it."""


class PlayedGroups:
    """The bridge of a case, and what its looks saw."""

    def __init__(self, case: GroupCase) -> None:
        self.scheduler = Scheduler()
        self.node = Namespace(self.scheduler, "bridge", Chance(1))
        self.bridge = self.node.add_bridge("br0", ipv6=case.ipv6)
        self.ends: dict[str, PairDevice] = {}
        self.wires: dict[str, Wire] = {}
        self.looks: list[dict[str, Any]] = []
        for number in PORTS:
            near = PairDevice(self.scheduler, f"p{number}", Mac(port_mac(number)))
            far = PairDevice(self.scheduler, f"e{number}", Mac(host_mac(number)))
            pair_up(near, far)
            far.set_admin(True)
            self.ends[far.name] = far
            self.wires[far.name] = Wire(self.scheduler, far, outbound=False)
            self.node.add_device(near)
            self.node.enslave(near.name, "br0")
            self.node.set_up(near.name)
        self.node.set_up("br0")
        self._wait(_SETTLING_S)
        for what, words in case.steps:
            self._do(what, words)

    def _wait(self, seconds: float) -> None:
        self.scheduler.run(self.scheduler.now_ns + int(seconds * S))

    def _do(self, what: str, words: str) -> None:
        if what == "wait":
            self._wait(float(words))
        elif what == "send":
            end, data = words.split()
            self.ends[end].transmit(Frame(bytes.fromhex(data)))
            self._wait(_MOMENT_S)
        elif what == "look":
            self._wait(_MOMENT_S)
            frames = {name: [f.hex() for f in wire.take()] for name, wire in self.wires.items()}
            self.looks.append({"mdb": self._bridge(["mdb"]), "frames": frames})
        else:
            self._command(words.split())

    def _command(self, words: list[str]) -> None:
        self._wait(_MOMENT_S / 2)
        if words[0] == "bridge":
            self._bridge(words[1:])
        elif words[:4] == ["ip", "link", "set", "br0"]:
            for key, value in zip(words[6::2], words[7::2], strict=True):
                set_multicast(self.bridge, key.removeprefix("mcast_"), int(value))
        else:
            _, _, _, device, state = words
            (self.node.set_up if state == "up" else self.node.set_down)(device)

    def _bridge(self, words: list[str]) -> str:
        node = self.node
        options = {"details": True}
        scene = Scene("b", node.bridges, list(node.interfaces), node.interfaces, options)
        return command.run(scene, words)
