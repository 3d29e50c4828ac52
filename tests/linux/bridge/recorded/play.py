"""A case of ``script.py`` in vnet."""

from __future__ import annotations

from tests.linux.bridge.recorded.script import Case, mac_text, without_timers
from vnet.base.chance import Chance
from vnet.base.ids import mac_from_text
from vnet.linux.netns.namespace import Namespace
from vnet.netdev.pair import PairDevice, pair_up
from vnet.shell.commands import brctl, bridge
from vnet.shell.commands.bridge_scene import Scene
from vnet.sim.scheduler import Scheduler

S = 1_000_000_000
_COMMAND_S = 0.008
"""How long a command takes."""


class Played:
    """The namespaces of a case, and what its looks saw."""

    def __init__(self, case: Case) -> None:
        self.scheduler = Scheduler()
        chance = Chance(1)
        self.nodes = {name: Namespace(self.scheduler, name, chance) for name in case.bridges}
        self.looks: list[dict[str, str]] = []
        for node in self.nodes.values():
            node.add_bridge("br0")
        number = 0
        for ends in case.cables:
            devices = []
            for end in ends:
                number += 1
                mac = mac_from_text(mac_text(number))
                devices.append(PairDevice(self.scheduler, end.split("/")[1], mac))
            pair_up(*devices)
            for end, device in zip(ends, devices, strict=True):
                node = self.nodes[end.split("/")[0]]
                node.add_device(device)
                node.enslave(device.name, "br0")
                node.set_up(device.name)
        self._wait(1.2)
        for where, what in case.steps:
            self._do(where, what)

    def _wait(self, seconds: float) -> None:
        self.scheduler.run(self.scheduler.now_ns + int(seconds * S))

    def _do(self, where: str, what: str) -> None:
        if where == "wait":
            self._wait(float(what))
        elif where == "look":
            shown = {name: self._brctl(name, ["showstp", "br0"]) for name in self.nodes}
            self.looks.append({name: without_timers(text) for name, text in shown.items()})
        else:
            self._wait(_COMMAND_S)
            tool, *words = what.split()
            if tool == "brctl":
                self._brctl(where, words)
            elif tool == "bridge":
                self._bridge(where, words)
            else:
                _, _, device, state = words
                node = self.nodes[where]
                (node.set_up if state == "up" else node.set_down)(device)

    def _brctl(self, name: str, words: list[str]) -> str:
        node = self.nodes[name]
        scene = brctl.Scene(name, node.bridges, list(node.interfaces), lambda: node)
        return brctl.run(scene, words)

    def _bridge(self, name: str, words: list[str]) -> str:
        node = self.nodes[name]
        scene = Scene(name, node.bridges, list(node.interfaces), node.interfaces, {})
        return bridge.run(scene, words)
