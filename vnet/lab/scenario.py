"""Running a scenario: each step an app or an act, judged by what it saw.

A step with ``at`` begins at that time, whatever else is going on; one without begins when the
step before it in the list has ended.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from vnet.base.errors import Problem, TopologyError, VnetError
from vnet.base.ids import IPV4_ANY, IPV6_ANY, ip_from_text
from vnet.base.units import duration_text
from vnet.guest.apps.app import App
from vnet.guest.apps.send import Send
from vnet.guest.machine import Machine
from vnet.lab.build import Network
from vnet.lab.report import Failure, StepOutcome
from vnet.sim.scheduler import Scheduler
from vnet.topology import model
from vnet.topology.expression import build_packet

_RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Wait(App):
    """The app that does nothing for a while."""

    def __init__(self, scheduler: Scheduler, duration_ns: int) -> None:
        super().__init__(scheduler)
        self._duration_ns = duration_ns

    def start(self) -> None:
        self.scheduler.after(self._duration_ns, self.finish)

    def seen(self) -> dict[str, Any]:
        return {}

    def close(self) -> None:
        """Nothing was opened."""


class SetLink(App):
    """Plugs or unplugs a cable."""

    def __init__(self, scheduler: Scheduler, network: Network, step: model.LinkStep) -> None:
        super().__init__(scheduler)
        end = str(step.end)
        self._link = next(
            link for link in network.links if end in (link.ends[0].name, link.ends[1].name)
        )
        self._up = step.up

    def start(self) -> None:
        self._link.set_up(self._up)
        self.scheduler.after(0, self.finish)

    def seen(self) -> dict[str, Any]:
        return {"state": "up" if self._link.up else "down"}

    def close(self) -> None:
        """Nothing was opened."""


class ScenarioRunner:
    """Starts the steps of a scenario and collects their outcomes.

    ``on_end`` is called, in an event, when the last step has ended.
    """

    def __init__(
        self, network: Network, steps: tuple[model.Step, ...], on_end: Callable[[], None]
    ) -> None:
        self._network = network
        self._scheduler = network.scheduler
        self._on_end = on_end
        self._apps: dict[int, App] = {}
        self.outcomes = [
            StepOutcome(number, step, describe(step)) for number, step in enumerate(steps)
        ]

    def start(self) -> None:
        """Begin; steps whose time has passed begin at once."""
        for outcome in self.outcomes:
            at_ns = outcome.step.at_ns
            if at_ns is not None:
                when_ns = max(at_ns, self._scheduler.now_ns)
                self._scheduler.at(when_ns, self._begin, outcome)
        if self.outcomes and self.outcomes[0].step.at_ns is None:
            self._scheduler.after(0, self._begin, self.outcomes[0])

    @property
    def done(self) -> bool:
        """Whether every step has ended."""
        return all(outcome.ended_ns is not None for outcome in self.outcomes)

    def close(self) -> None:
        """Take down what is still running, and judge it as it stands."""
        for number, app in self._apps.items():
            outcome = self.outcomes[number]
            if outcome.ended_ns is None:
                outcome.seen = app.seen()
                app.on_done = None
                app.finish()
        for outcome in self.outcomes:
            if outcome.ended_ns is None:
                judge(outcome, finished=False)

    def _begin(self, outcome: StepOutcome) -> None:
        outcome.started_ns = self._scheduler.now_ns
        try:
            app = self._make_app(outcome.step)
            self._apps[outcome.number] = app
            app.on_done = lambda ended, outcome=outcome: self._ended(outcome, ended)
            app.start()
        except VnetError as error:
            outcome.error = str(error)
            self._scheduler.after(0, self._settle, outcome)

    def _ended(self, outcome: StepOutcome, app: App) -> None:
        outcome.seen = app.seen()
        outcome.remarks = app.remarks()
        self._settle(outcome)

    def _settle(self, outcome: StepOutcome) -> None:
        outcome.ended_ns = self._scheduler.now_ns
        judge(outcome, finished=True)
        following = outcome.number + 1
        if following < len(self.outcomes) and self.outcomes[following].step.at_ns is None:
            self._begin(self.outcomes[following])
        if self.done:
            self._on_end()

    # -- from steps to apps

    def _make_app(self, step: model.Step) -> App:
        if isinstance(step, model.WaitStep):
            return Wait(self._scheduler, step.duration_ns)
        if isinstance(step, model.LinkStep):
            return SetLink(self._scheduler, self._network, step)
        if isinstance(step, model.SendStep):
            return self._make_send(step)
        assert isinstance(step, (model.PingStep, model.ArpingStep, model.UdpStep))
        machine = self._machine(step.source)
        target = self._target(step.target, machine)
        if isinstance(step, model.PingStep):
            return machine.make_ping(
                target,
                count=step.count,
                interval_ns=step.interval_ns,
                size_bytes=step.size_bytes,
                ttl=step.ttl,
                dont_fragment=step.dont_fragment,
                timeout_ns=step.timeout_ns,
            )
        if isinstance(step, model.ArpingStep):
            return machine.make_arping(
                target, count=step.count, interval_ns=step.interval_ns, mode=step.mode
            )
        servers = [
            owner.serve_udp(step.port, echo=step.echo) for owner in self._owners(step.target)
        ]
        return machine.make_udp(
            target,
            port=step.port,
            count=step.count,
            interval_ns=step.interval_ns,
            size_bytes=step.size_bytes,
            echo=step.echo,
            timeout_ns=step.timeout_ns,
            # Tenants may share an address: then nobody could say who counted.
            server=servers[0] if len(servers) == 1 else None,
        )

    def _make_send(self, step: model.SendStep) -> App:
        machine = self._machine(step.source)
        vnic = machine.vnic(step.device)
        interface = vnic.interface
        packet = build_packet(
            step.packet,
            mac=interface.device.mac,
            ip4=interface.source_for(IPV4_ANY) or b"",
            ip6=interface.source_for(IPV6_ANY) or b"",
        )
        return Send(vnic, packet, count=step.count, interval_ns=step.interval_ns)

    def _owners(self, target: str) -> list[Machine]:
        """The machines that a name or an address stands for."""
        machine = self._network.machine(target)
        if machine is not None:
            return [machine]
        ip = ip_from_text(target)
        return [owner for owner in self._network.machines() if ip in owner.addresses]

    def _machine(self, name: str) -> Machine:
        machine = self._network.machine(name)
        assert machine is not None, f"validation let {name} through"
        return machine

    def _target(self, target: str, source: Machine) -> bytes:
        """An address as it stands; a machine's name is its first address that ``source`` can
        speak to, IPv4 before IPv6."""
        machine = self._network.machine(target)
        if machine is None:
            return ip_from_text(target)
        return reachable_address(machine, source)


def reachable_address(machine: Machine, source: Machine) -> bytes:
    """The address of ``machine`` that ``source`` would use: of a family both have."""
    families = {len(ip) for ip in source.addresses}
    addresses = sorted(machine.addresses, key=lambda ip: (len(ip) not in families, len(ip)))
    if not addresses:
        raise VnetError(f"{machine.name} has no address to send to")
    return addresses[0]


def check_packets(topology: model.Topology) -> None:
    """Build every packet that the scenario will send, so that one that cannot be is told now.

    Raises :class:`TopologyError`. It costs the import of Scapy, which a load does without.
    """
    problems = []
    for step in topology.scenario:
        if isinstance(step, model.SendStep):
            try:
                bytes(build_packet(step.packet))
            except VnetError as error:
                problems.append(Problem(topology.file, step.line, 1, error.what, error.hint))
    if problems:
        raise TopologyError(problems)


def judge(outcome: StepOutcome, *, finished: bool) -> None:
    """Hold what a step saw against what was expected."""
    for expectation in outcome.step.expect:
        actual = outcome.seen.get(expectation.key)
        held = finished and actual is not None
        if held:
            try:
                held = _RELATIONS[expectation.relation](actual, expectation.value)
            except TypeError:
                held = False
        if not held:
            outcome.failures.append(Failure(expectation, actual))
    if not finished and outcome.error == "":
        outcome.error = "not finished when the run ended"


def describe(step: model.Step) -> str:
    """A step in a few words, as the report's table shows it."""
    if isinstance(step, model.PingStep):
        return f"ping {step.source} → {step.target} ×{step.count}"
    if isinstance(step, model.ArpingStep):
        return f"arping {step.mode} {step.source} → {step.target} ×{step.count}"
    if isinstance(step, model.UdpStep):
        return f"udp {step.source} → {step.target}:{step.port} ×{step.count}"
    if isinstance(step, model.SendStep):
        return f"send {step.source}:{step.device} ×{step.count}"
    if isinstance(step, model.LinkStep):
        return f"link {step.end} {'up' if step.up else 'down'}"
    assert isinstance(step, model.WaitStep)
    return f"wait {duration_text(step.duration_ns)}"
