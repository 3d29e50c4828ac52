"""The scenario of a file: each step to one of :mod:`~vnet.topology.steps`, its names judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from vnet.base.text import did_you_mean, one_of, quote
from vnet.topology.admin_steps import IptablesStep, SysctlStep, iptables_words
from vnet.topology.devices import NLMON
from vnet.topology.dhcp_steps import DhcpStep
from vnet.topology.expectations import make_expectations
from vnet.topology.explain import Cut
from vnet.topology.group_steps import MembershipStep
from vnet.topology.model import Endpoint, Link
from vnet.topology.name_step_schema import asked_for
from vnet.topology.name_steps import DnsStep
from vnet.topology.pingall import pingall_fault
from vnet.topology.report import Path, Report
from vnet.topology.schema import TopologyFile
from vnet.topology.step_names import StepNames
from vnet.topology.step_schema import (
    MAX_ROUNDS,
    OVS_VERBS,
    VERBS,
    StepFile,
    every_step,
)
from vnet.topology.steps import (
    ArpingStep,
    CheckStep,
    CountersStep,
    Expectation,
    FdbStep,
    LinkStep,
    MoveStep,
    ParallelStep,
    PingAllStep,
    PingStep,
    RepeatStep,
    SendStep,
    Step,
    TcStep,
    TracepathStep,
    TracerouteStep,
    UdpStep,
    WaitStep,
)
from vnet.topology.stream_steps import HttpStep, IperfStep, TcpStep
from vnet.topology.sysctls import check_settings
from vnet.topology.validate import Directory, takes_plugs
from vnet.topology.wire import change_of

if TYPE_CHECKING:
    from vnet.topology.openflow import Openflow


def make_scenario(
    file: TopologyFile, directory: Directory, links: list[Link], openflow: Openflow | None = None
) -> list[Step]:
    """The steps of ``file``; what is wrong with them goes to the report.

    ``openflow`` knows the bridges of Open vSwitch, where there are any.
    """
    later = [step.link.to for step in every_step(file.scenario or ()) if step.link and step.link.to]
    maker = _StepMaker(directory, [*_ends(links), *later], openflow)
    steps = []
    for position, given in enumerate(file.scenario or ()):
        made = maker.step(given, ("scenario", directory.cut.index("scenario", position)))
        if made is not None:
            steps.append(made)
    return steps


def _ends(links: Sequence[Link]) -> list[Endpoint]:
    return [end for link in links for end in link.ends]


class _Common(NamedTuple):
    """What every step has, in the order of :class:`~vnet.topology.steps.Step`."""

    at_ns: int | None
    expect: tuple[Expectation, ...]
    line: int


class _StepMaker:
    def __init__(
        self, directory: Directory, ends: Sequence[Endpoint], openflow: Openflow | None
    ) -> None:
        self.directory = directory
        self.names = StepNames(directory)
        self.openflow = openflow
        self.report: Report = directory.report
        self.cut: Cut = directory.cut
        self.ends = ends
        """Where links end at some time."""
        cut = {*self.cut.sections, *self.cut.kept}
        self.links_known = directory.links_complete and "links" not in cut
        self.rounds = 1
        """How often the step at hand is done, the repeats around it multiplied."""

    def step(self, file: StepFile, path: Path) -> Step | None:
        """The step at ``path`` of the file, or None when it is not sound."""
        verb = self.verb(file, path)
        if verb is None:
            return None
        expect = tuple(make_expectations(verb, file.expect, path, self.names))
        common = _Common(file.at, expect, self.report.line(path))
        if verb == "expect":
            return CheckStep(*common)
        if verb in OVS_VERBS:
            return self.ovs_step(verb, getattr(file, verb), (*path, verb), common)
        made: Step | None = getattr(self, f"make_{verb}")(
            getattr(file, verb), (*path, verb), common
        )
        return made

    def verb(self, file: StepFile, path: Path) -> str | None:
        written = [verb for verb in VERBS if verb in file.model_fields_set]
        if not written:
            if file.expect:
                return "expect"
            self.report.add(path, "the step does nothing", f"it needs one of {one_of(VERBS, 20)}")
            return None
        if len(written) > 1:
            what = f"the step does two things: {written[0]} and {written[1]}"
            self.report.add((*path, written[1]), what, "write two steps", at_key=True)
            return None
        if getattr(file, written[0]) is None:
            hint = "write pingall: {}" if written[0] == "pingall" else ""
            self.report.add((*path, written[0]), f"{written[0]} says nothing", hint, at_key=True)
            return None
        return written[0]

    # --- steps of steps ---

    def inner(self, files: Sequence[StepFile], path: Path) -> tuple[Step, ...] | None:
        """The steps inside another; None when one of them is not sound."""
        made: list[Step | None] = []
        for position, file in enumerate(files):
            here = (*path, position)
            if file.at is not None:
                what = "inside another step, 'at' cannot be said"
                hint = "it counts from the start of the lab; write a wait before"
                self.report.add((*here, "at"), what, hint, at_key=True)
            made.append(self.step(file, here))
        steps = tuple(step for step in made if step is not None)
        return steps if len(steps) == len(files) else None

    def make_repeat(self, given: Any, path: Path, common: _Common) -> Step | None:
        around = self.rounds
        self.rounds = around * given.count
        if self.rounds > MAX_ROUNDS >= around:
            what = f"with the repeats around it, that makes {self.rounds} rounds"
            self.report.add((*path, "count"), what, f"at most {MAX_ROUNDS}")
        steps = self.inner(given.steps, (*path, "steps"))
        self.rounds = around
        return None if steps is None else RepeatStep(*common, given.count, given.interval, steps)

    def make_parallel(self, given: Any, path: Path, common: _Common) -> Step | None:
        steps = self.inner(given, path)
        return None if steps is None else ParallelStep(*common, steps)

    # --- one method for each verb ---

    def make_ping(self, given: Any, path: Path, common: _Common) -> Step | None:
        if not self.names.pair(given, path):
            return None
        return PingStep(
            *common,
            given.from_,
            given.to,
            given.count,
            given.interval,
            given.size,
            given.ttl,
            given.df,
            given.timeout,
            given.tos,
        )

    def make_arping(self, given: Any, path: Path, common: _Common) -> Step | None:
        if not self.names.pair(given, path, only_ipv4=True):
            return None
        return ArpingStep(*common, given.from_, given.to, given.count, given.interval, given.mode)

    def make_udp(self, given: Any, path: Path, common: _Common) -> Step | None:
        if not self.names.pair(given, path):
            return None
        return UdpStep(
            *common,
            given.from_,
            given.to,
            given.port,
            given.count,
            given.interval,
            given.size,
            given.echo,
            given.timeout,
        )

    def make_tcp(self, given: Any, path: Path, common: _Common) -> Step | None:
        if not self.names.pair(given, path):
            return None
        return TcpStep(
            *common,
            given.from_,
            given.to,
            given.port,
            given.size,
            given.serve,
            given.timeout,
        )

    def make_iperf3(self, given: Any, path: Path, common: _Common) -> Step | None:
        if not self.names.pair(given, path):
            return None
        return IperfStep(
            *common,
            given.from_,
            given.to,
            given.port,
            given.time,
            given.size,
            given.reverse,
            given.parallel,
        )

    def make_http(self, given: Any, path: Path, common: _Common) -> Step | None:
        if not self.names.pair(given, path):
            return None
        return HttpStep(
            *common,
            given.from_,
            given.to,
            given.port,
            given.path,
            given.size,
            given.timeout,
        )

    def make_dns(self, given: Any, path: Path, common: _Common) -> Step | None:
        known = self.names.machine(given.from_, (*path, "from"))
        if given.server is not None:
            known &= self.names.target(given.server, (*path, "server"))
        elif known and not self.names.resolves(given.from_):
            what = f"{given.from_} has no DNS server to ask"
            self.report.add(path, what, "write a server, or give the machine one with 'dns:'")
            known = False
        if not known:
            return None
        name, kind = asked_for(given.name, given.type)
        return DnsStep(
            *common,
            given.from_,
            name,
            kind,
            given.server,
            given.tcp,
            given.edns,
            given.size,
            given.tries,
            given.timeout,
        )

    def make_dhcp(self, given: Any, path: Path, common: _Common) -> Step | None:
        if not self.names.machine(given.vm, (*path, "vm")):
            return None
        if given.device is not None:
            end = Endpoint(given.vm, given.device)
            if not self.names.directory.has_device(end, (*path, "device")):
                return None
        return DhcpStep(*common, given.vm, given.action, given.device)

    def make_iptables(self, given: Any, path: Path, common: _Common) -> Step | None:
        if not self.names.machine(given.machine, (*path, "machine")):
            return None
        family, here = 6 if given.ipv6 else 4, (*path, "commands")
        commands = iptables_words(given.commands, family, here, self.report)
        return IptablesStep(*common, given.machine, family, commands)

    def make_sysctl(self, given: Any, path: Path, common: _Common) -> Step | None:
        known = self.names.machine(given.machine, (*path, "machine"))
        if not known or not check_settings((*path, "set"), given.set, self.report):
            return None
        return SysctlStep(*common, given.machine, dict(given.set))

    def make_traceroute(self, given: Any, path: Path, common: _Common) -> Step | None:
        if not self.names.pair(given, path):
            return None
        return TracerouteStep(
            *common,
            given.from_,
            given.to,
            given.icmp,
            given.hops,
            given.queries,
            given.wait,
            given.size,
        )

    def make_tracepath(self, given: Any, path: Path, common: _Common) -> Step | None:
        if not self.names.pair(given, path):
            return None
        return TracepathStep(*common, given.from_, given.to, given.hops, given.size)

    def make_pingall(self, given: Any, path: Path, common: _Common) -> Step | None:
        known = [
            self.names.machine(name, (*path, "among", position))
            for position, name in enumerate(given.among)
        ]
        if not all(known):
            return None
        among = tuple(dict.fromkeys(given.among or self.directory.nodes.vms))
        if given.to is not None and not self.names.machine(given.to, (*path, "to")):
            return None
        among = tuple(name for name in among if name != given.to)
        fault = pingall_fault(given, len(among), excused=bool(self.cut.nodes))
        if fault is not None:
            key, what, hint = fault
            self.report.add((*path, key) if key else path, what, hint, at_key=bool(key))
        return PingAllStep(*common, among, given.classes, given.sample, given.to)

    def make_send(self, given: Any, path: Path, common: _Common) -> Step | None:
        name, device = given.from_
        here = (*path, "from")
        if not self.names.machine(name, here):
            return None
        if device is None:
            devices = self.directory.devices(name)
            if not devices or devices[0] == NLMON:
                self.report.add(here, f"{name} has no card to send from")
                return None
            device = devices[0]
        elif not self.directory.has_device(Endpoint(name, device), here):
            return None
        place = self.report.root.place((*path, "packet"))
        return SendStep(*common, name, device, given.packet, given.count, given.interval, place)

    def make_join(self, given: Any, path: Path, common: _Common) -> Step | None:
        name, device = given.machine
        here = (*path, "machine")
        known = self.names.machine(name, here)
        if known and device is not None:
            known = self.has_real_device(Endpoint(name, device), here)
        joins = path[-1] == "join"
        return MembershipStep(*common, name, device, given.group, joins) if known else None

    make_leave = make_join

    def make_link(self, given: Any, path: Path, common: _Common) -> Step | None:
        change = change_of(given)
        if given.state is not None:
            change["up"] = given.state == "up"
        if not change and given.to is None:
            hint = "write state: down, or a setting such as loss: 5%"
            self.report.add(path, "the step changes nothing", hint)
        if given.to is not None and not takes_plugs(given.to, (*path, "to"), self.directory):
            return None
        if given.end in self.ends:
            return LinkStep(*common, given.end, change, given.to)
        if self.directory.has_node(given.end.node, (*path, "end")) and self.links_known:
            ends = [str(end) for end in self.ends]
            hint = did_you_mean(str(given.end), ends, "links end at") or "there are no links"
            self.report.add((*path, "end"), f"no link ends at {given.end}", hint)
        return None

    def make_wait(self, given: int, path: Path, common: _Common) -> Step | None:  # noqa: ARG002
        return WaitStep(*common, given)

    def make_move(self, given: Any, path: Path, common: _Common) -> Step | None:
        nodes = self.directory.nodes
        known = self.directory.has_node(given.vm, (*path, "vm"))
        if known and given.vm not in nodes.vms:
            what = f"{quote(given.vm)} is no virtual machine"
            self.report.add((*path, "vm"), what, "only those move")
            known = False
        if not self.directory.has_node(given.to, (*path, "to")):
            return None
        host = nodes.hosts.get(given.to)
        if host is None:
            what = f"{quote(given.to)} is no host"
            self.report.add((*path, "to"), what, "virtual machines move from host to host")
            return None
        if not known or not self.names.can_plug(nodes.vms[given.vm], host, given.switch, path):
            return None
        return MoveStep(*common, given.vm, given.to, given.switch, given.announce)

    # --- switches ---

    def ovs_step(self, verb: str, given: Any, path: Path, common: _Common) -> Step | None:
        """A step about a bridge of Open vSwitch."""
        switch = self.names.switch(given.switch, (*path, "switch"))
        if switch is None:
            return None
        if switch.ovs is None or self.openflow is None:
            what = f"{switch.name} is a Linux bridge, which has no {verb}"
            self.report.add((*path, "switch"), what, "write type: ovs")
            return None
        # Files without Open vSwitch do without all that it is made of.
        from vnet.topology.ovs_scenario import About, OvsStepMaker

        node, bridge = given.switch
        about = About(*common, node, bridge)
        return OvsStepMaker(self.openflow).make(verb, given, path, about)

    def make_fdb(self, given: Any, path: Path, common: _Common) -> Step | None:
        mac = self.names.station(given.mac, (*path, "mac"))
        if self.names.switch(given.switch, (*path, "switch")) is None or mac is False:
            return None
        name, bridge = given.switch
        return FdbStep(*common, name, bridge, mac)

    def make_counters(self, given: Any, path: Path, common: _Common) -> Step | None:
        known = self.has_real_device(given.device, (*path, "device"))
        return CountersStep(*common, given.device) if known else None

    def make_tc(self, given: Any, path: Path, common: _Common) -> Step | None:
        # Files without queues do without all that they are made of.
        from vnet.linux.tc.handles import parse_handle
        from vnet.topology.queues import check_command

        known = self.has_real_device(given.device, (*path, "device"))
        if given.command is not None:
            known &= check_command((*path, "command"), given.command, self.report)
        handle = 0
        if given.handle is not None:
            try:
                handle = parse_handle(given.handle)
            except ValueError:
                what = f"{quote(given.handle)} is no handle of a qdisc"
                self.report.add((*path, "handle"), what, "for example '1:'")
                known = False
        return TcStep(*common, given.device, given.command, handle) if known else None

    def make_rules(self, given: Any, path: Path, common: _Common) -> Step | None:
        from vnet.topology.netfilter_steps import RulesStep

        if not self.names.machine(given.machine, (*path, "machine")):
            return None
        if given.rule is not None and given.chain is None:
            what = "rules are numbered in their chain"
            self.report.add((*path, "rule"), what, "say which 'chain'")
            return None
        family = 6 if given.ipv6 else 4
        return RulesStep(*common, given.machine, family, given.table, given.chain, given.rule)

    def make_conntrack(self, given: Any, path: Path, common: _Common) -> Step | None:
        from vnet.topology.netfilter_steps import ConntrackStep, words_of_conntrack

        known = self.names.machine(given.machine, (*path, "machine"))
        words = words_of_conntrack(given, path, self.report)
        if not known or words is None:
            return None
        return ConntrackStep(*common, given.machine, words)

    def has_real_device(self, device: Endpoint, path: Path) -> bool:
        """Whether a device will be there that frames pass."""
        if device.device == NLMON:
            self.report.add(path, f"{device} is no device", "it records rtnetlink messages")
            return False
        return self.directory.has_device(device, path)
