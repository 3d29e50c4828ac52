"""Spanning trees, of either protocol: bridges in a ring, and what they say second by second.

Ports are set up before anybody speaks, and time passes in whole seconds: then the real daemon,
which looks at its timers whenever it has something to do, looks at them when ours does.
"""

from __future__ import annotations

from tests.ovs.recorded.script import Script

_COSTS = {"stp": (1, 5, 100), "rstp": (1, 200, 20000)}
_BRIDGE_SETTINGS = {
    "stp": ("", "stp-max-age=6", "stp-forward-delay=4", "stp-hello-time=3000"),
    "rstp": ("", "rstp-forward-delay=11", "rstp-transmit-hold-count=1", "rstp-max-age=6"),
}
_PRIORITIES = (0, 4096, 32768, 61440)
_RSTP_PORTS = (
    *("rstp-port-admin-edge=true", "rstp-port-auto-edge=false", "rstp-admin-p2p-mac=2"),
    "rstp-port-mcheck=true",
)
_CALM_S = {"stp": 34, "rstp": 8}


def draw(script: Script) -> None:
    protocol = script.choose("stp", "rstp", "rstp")
    scene = Scene(script, protocol, script.choose(2, 3, 3, 3))
    scene.show()
    for _ in range(_CALM_S[protocol]):
        scene.second()
    scene.show()
    for _ in range(script.number(2, 4)):
        scene.change()
        for _ in range(script.choose(3, 8) if protocol == "rstp" else script.choose(5, 22)):
            scene.second()
        scene.show()
    for bridge in scene.bridges:
        script.show(f"ovs-ofctl dump-ports {bridge}")


class Scene:
    """Bridges in a ring, each with a port for stations, and the wires between them."""

    def __init__(self, script: Script, protocol: str, n_bridges: int) -> None:
        self._script = script
        self._protocol = protocol
        self.bridges = [f"br{number}" for number in range(n_bridges)]
        self._ports: dict[str, str] = {}
        self._all_take_part = True
        for number, bridge in enumerate(self.bridges):
            script.bridge(bridge, dpid=number + 1)
            script.ofctl(f"add-flow {bridge} actions=normal")
            if script.happens(0.4):
                self._set_bridge(bridge, f"priority={script.choose(*_PRIORITIES)}")
            if setting := script.choose(*_BRIDGE_SETTINGS[protocol]):
                script.vsctl(f"set bridge {bridge} other_config:{setting}")
        self._wires = [self._wire(a, b) for a, b in self._neighbors()]
        for bridge in self.bridges:
            self._add_port(bridge)
        self._carry(self._wires)
        for bridge in script.some(self.bridges, n_bridges):
            script.vsctl(f"set bridge {bridge} {protocol}_enable=true")

    def _neighbors(self) -> list[tuple[str, str]]:
        n_bridges = len(self.bridges)
        ring = [(self.bridges[n], self.bridges[(n + 1) % n_bridges]) for n in range(n_bridges)]
        if self._script.happens(0.3):
            ring.append((self.bridges[0], self.bridges[-1]))
        return ring

    def _wire(self, bridge: str, other: str) -> tuple[str, str]:
        return self._add_port(bridge), self._add_port(other)

    def _add_port(self, bridge: str) -> str:
        script, name = self._script, f"p{len(self._ports) + 1}"
        script.port(name, len(self._ports) + 1, bridge=bridge)
        script.appctl(f"netdev-dummy/set-admin-state {name} up")
        self._ports[name] = bridge
        if script.happens(0.25):
            self._set_port(name, f"path-cost={script.choose(*_COSTS[self._protocol])}")
        if script.happens(0.15):
            self._set_port(name, f"port-priority={script.choose(0, 16, 240)}")
        if self._protocol == "rstp" and script.happens(0.15):
            script.vsctl(f"set port {name} other_config:{script.choose(*_RSTP_PORTS)}")
        return name

    def _set_bridge(self, bridge: str, setting: str) -> None:
        self._script.vsctl(f"set bridge {bridge} other_config:{self._protocol}-{setting}")

    def _set_port(self, port: str, setting: str) -> None:
        self._script.vsctl(f"set port {port} other_config:{self._protocol}-{setting}")

    def _carry(self, wires: list[tuple[str, str]]) -> None:
        self._script.carry(*wires, *((other, port) for port, other in wires))

    def second(self) -> None:
        """A second passes, and sometimes a station speaks."""
        script = self._script
        script.warp(1_000)
        if self._all_take_part and script.happens(0.15):
            port = script.choose(*self._ports)
            source, target = (f"02:00:00:00:00:0{script.number(1, 3)}" for _ in range(2))
            script.receive(port, f"udp,dl_src={source},dl_dst={target}")

    def change(self) -> None:
        """Something happens to a port, a wire or a setting."""
        script, protocol = self._script, self._protocol
        port, bridge = script.choose(*self._ports), script.choose(*self.bridges)
        match script.number(1, 8):
            case 1 | 2:
                script.appctl(f"netdev-dummy/set-admin-state {port} down")
            case 3:
                for name in self._ports:
                    script.appctl(f"netdev-dummy/set-admin-state {name} up")
            case 4:
                self._carry(self._wires[1:])
            case 5:
                self._set_port(port, f"path-cost={script.choose(*_COSTS[protocol])}")
            case 6:
                self._set_bridge(bridge, f"priority={script.choose(*_PRIORITIES)}")
            case 7:
                script.appctl(f"{protocol}/tcn {bridge}")
            case 8:
                self._all_take_part = False
                self._set_port(port, "enable=false")

    def show(self) -> None:
        for bridge in self.bridges:
            self._script.show(f"ovs-appctl {self._protocol}/show {bridge}")
            self._script.show(f"ovs-appctl fdb/show {bridge}")
