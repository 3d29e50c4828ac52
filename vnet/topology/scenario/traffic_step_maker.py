"""Steps in which machines speak to each other."""

from __future__ import annotations

from typing import Any

from vnet.topology.devices import NLMON
from vnet.topology.model import Endpoint
from vnet.topology.reading.report import Path
from vnet.topology.scenario.name_steps import DnsStep
from vnet.topology.scenario.pingall import pingall_fault
from vnet.topology.scenario.step_maker import Common, StepMaker
from vnet.topology.scenario.stream_steps import HttpStep, IperfStep, TcpStep
from vnet.topology.schema.name_step import asked_for
from vnet.topology.steps import (
    ArpingStep,
    PingAllStep,
    PingStep,
    SendStep,
    Server,
    Step,
    TracepathStep,
    TracerouteStep,
    UdpStep,
)


class TrafficStepMaker(StepMaker):
    """Makes them."""

    def make_ping(self, given: Any, path: Path, common: Common) -> Step | None:
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

    def make_arping(self, given: Any, path: Path, common: Common) -> Step | None:
        if not self.names.pair(given, path, only_ipv4=True):
            return None
        return ArpingStep(*common, given.from_, given.to, given.count, given.interval, given.mode)

    def make_udp(self, given: Any, path: Path, common: Common) -> Step | None:
        if not self._finds_server(given, path):
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
            _server(given),
        )

    def make_tcp(self, given: Any, path: Path, common: Common) -> Step | None:
        if not self._finds_server(given, path):
            return None
        return TcpStep(
            *common,
            given.from_,
            given.to,
            given.port,
            given.size,
            given.serve,
            given.timeout,
            _server(given),
        )

    def make_iperf3(self, given: Any, path: Path, common: Common) -> Step | None:
        if not self._finds_server(given, path):
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
            _server(given),
        )

    def make_http(self, given: Any, path: Path, common: Common) -> Step | None:
        if not self._finds_server(given, path):
            return None
        return HttpStep(
            *common,
            given.from_,
            given.to,
            given.port,
            given.path,
            given.size,
            given.timeout,
            _server(given),
        )

    def _finds_server(self, given: Any, path: Path) -> bool:
        """Whether who asks, whom, and who answers are all there."""
        known = self.names.pair(given, path)
        if given.server is None:
            return known
        if not getattr(given, "serve", True):
            hint = "leave out one of the two"
            self.report.add((*path, "server"), "with 'serve: false' nobody serves", hint)
            return False
        return self.names.machine(given.server[0], (*path, "server")) and known

    def make_dns(self, given: Any, path: Path, common: Common) -> Step | None:
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

    def make_traceroute(self, given: Any, path: Path, common: Common) -> Step | None:
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

    def make_tracepath(self, given: Any, path: Path, common: Common) -> Step | None:
        if not self.names.pair(given, path):
            return None
        return TracepathStep(*common, given.from_, given.to, given.hops, given.size)

    def make_pingall(self, given: Any, path: Path, common: Common) -> Step | None:
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

    def make_send(self, given: Any, path: Path, common: Common) -> Step | None:
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


def _server(given: Any) -> Server | None:
    return None if given.server is None else Server(*given.server)
