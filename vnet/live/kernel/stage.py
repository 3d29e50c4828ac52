"""Where a scenario plays on the kernel: each step a program over real sockets."""

from __future__ import annotations

from typing import Any

from vnet.base.ids import ip_from_text
from vnet.guest.apps.app import App
from vnet.lab.acts import Act, Listenable, Wait
from vnet.lab.scenario import NotJudgedError
from vnet.live.clock import WallClock
from vnet.live.kernel.apps.ping import LivePing
from vnet.live.kernel.machine import LiveMachine, reachable_address
from vnet.live.kernel.netlink import Netlink
from vnet.live.kernel.sniffing import Taps
from vnet.netdev.device import Sniffer
from vnet.topology import steps
from vnet.topology.model import Endpoint, Topology


class TapPoint:
    """A device of a namespace, as who listens knows it."""

    def __init__(self, taps: Taps, point: Endpoint) -> None:
        self._taps = taps
        self._point = point

    def add_sniffer(self, sniffer: Sniffer) -> None:
        """From now on ``sniffer`` hears every frame."""
        self._taps.add(self._point, sniffer)

    def remove_sniffer(self, sniffer: Sniffer) -> None:
        """It hears no more."""
        self._taps.remove(self._point, sniffer)


class KernelStage:
    """The namespaces of a lab that is up; a :class:`~vnet.lab.scenario.Stage`."""

    def __init__(
        self, topology: Topology, scheduler: WallClock, netlink: Netlink, taps: Taps
    ) -> None:
        self.scheduler = scheduler
        self._taps = taps
        self.machines = {
            name: LiveMachine(name, scheduler, netlink)
            for name in (*topology.hosts, *topology.routers, *topology.vms)
        }

    def listenable(self, point: Endpoint) -> Listenable:
        """A device, to count frames at."""
        return TapPoint(self._taps, point)

    def make_app(self, step: steps.Step) -> App:
        """The app that does a step. Raises :class:`NotJudgedError` where there is none."""
        if isinstance(step, steps.WaitStep):
            return Wait(self.scheduler, step.duration_ns)
        if isinstance(step, steps.CheckStep):
            return Act(self.scheduler, _nothing)
        if isinstance(step, steps.PingStep):
            machine = self.machines[step.source]
            return LivePing(machine, self._target(step.target, machine), step)
        kind = step.title.split()[0]
        raise NotJudgedError(f"{kind} has no counterpart on the kernel here")

    def _target(self, target: str, source: LiveMachine) -> bytes:
        machine = self.machines.get(target)
        return ip_from_text(target) if machine is None else reachable_address(machine, source)


def _nothing() -> dict[str, Any]:
    return {}
