"""A lab on the kernel: brought up from a topology, its scenario played, and taken down again."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from vnet.base.chance import Chance
from vnet.base.errors import UsageError
from vnet.base.text import escaped
from vnet.lab.build import Builder as NetworkBuilder
from vnet.lab.network import Network
from vnet.lab.report import LinkRow, Report
from vnet.lab.scenario import ScenarioRunner, check_packets
from vnet.live.clock import WallClock
from vnet.live.kernel import namespaces, wires
from vnet.live.kernel.building import Builder
from vnet.live.kernel.capabilities import OPTIONAL, Capability, lacking, needs
from vnet.live.kernel.capturing import LiveCaptures
from vnet.live.kernel.errors import KernelError, NotAsExpectedError
from vnet.live.kernel.netlink import Netlink
from vnet.live.kernel.plan import Plan
from vnet.live.kernel.reading import read_plan
from vnet.live.kernel.record import Record, find_record, labs_up, locked
from vnet.live.kernel.rights import check_machine
from vnet.live.kernel.services import Services
from vnet.live.kernel.sniffing import Taps
from vnet.live.kernel.stage import KernelStage
from vnet.live.kernel.taking_down import take_down
from vnet.sim.scheduler import Scheduler
from vnet.topology.model import Endpoint, Host, Router, Topology, Vm

_LAB_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class KernelLab:
    """``topology`` on the kernel. Use :func:`bring_up`."""

    def __init__(
        self, network: Network, plan: Plan, record: Record, missing: Collection[Capability] = ()
    ) -> None:
        topology = self.topology = network.topology
        self.notes: list[str] = []
        """What is not as the file says, in sentences."""
        self.notes += [f"this kernel lacks {each.value}: they will be faster" for each in missing]
        self.is_faster = Capability.NETEM in missing
        """Whether links lack the latency that the file gives them."""
        names = {name: namespaces.name_of(plan.lab, name) for name in _node_names(plan)}
        self._network = network
        self._plan = plan
        self._netlink = Netlink(plan.lab, names)
        self._clock = WallClock()
        self._taps = Taps(self._clock, names)
        self._clock.before = self._taps.drain
        has = needs(plan).difference(missing)
        self._builder = Builder(plan, self._netlink, record, _told(topology), has)
        self._services = Services(plan, names, record)
        self._captures = LiveCaptures(topology, plan, self._taps)
        self._runner: ScenarioRunner | None = None
        self._stage: KernelStage | None = None

    def build(self, folder: Path | None, *, split: bool, form: str) -> None:
        """Make everything. Captures begin before the first device is up; None takes none."""
        self._builder.make()
        if folder is not None:
            self._captures.attach()
            self._captures.open(folder, split=split, form=form)
        self._clock.begin()
        self._builder.start()
        self._services.start()
        self.notes += self._builder.notes + self._captures.notes

    def play(self, until_ns: int | None = None) -> None:
        """Play the scenario in real time, to its end or for so long."""
        stage = self._stage = KernelStage(
            self._network,
            self._clock,
            self._netlink,
            self._taps,
            self._services,
            self._builder.wires,
            is_faster=self.is_faster,
        )
        self._runner = ScenarioRunner(stage, self.topology.scenario, self._clock.stop)
        self._runner.start()
        if self.topology.scenario or until_ns is not None:
            self._clock.run_live(until_ns)
        self._taps.drain()

    def pull(self, cable: int, *, up: bool) -> None:
        """Pull a cable that can be pulled, or plug it in, by its number in the file."""
        self._builder.wires.set_up(cable, up)

    def finish(self) -> Report:
        """Complete the captures and say how it went. What was built stays."""
        self._taps.drain()
        if self._runner is not None:
            self._runner.close()
        lost = self._taps.lost()
        self.notes += [f"{point}: {n} frames came too fast to capture" for point, n in lost.items()]
        report = Report(
            self.topology.name,
            self.topology.seed,
            self._clock.real_now_ns,
            [] if self._runner is None else self._runner.outcomes,
            list(self._link_rows()),
            [],
            self._captures.counts,
            self._captures.file_names,
            is_live=True,
        )
        self._captures.finish(report.as_json())
        return report

    def close(self) -> None:
        """Let go of sockets; the lab itself stays."""
        if self._stage is not None:
            self._stage.close()
        self._captures.close()
        self._taps.close()
        self._netlink.close()
        self._clock.close()

    def _link_rows(self) -> Iterator[LinkRow]:
        for cable in self._plan.cables:
            for source, target in (cable.ends, cable.ends[::-1]):
                frames, size = self._sent(source)
                yield LinkRow(str(source), str(target), frames, size, {}, {})

    def _sent(self, end: Endpoint) -> tuple[int, int]:
        """Frames and bytes that a card has sent."""
        links = self._netlink.socket(end.node).get_links(ifname=end.device)
        stats = links[0].get_attr("IFLA_STATS64") if links else None
        return (0, 0) if stats is None else (stats["tx_packets"], stats["tx_bytes"])


def _node_names(plan: Plan) -> list[str]:
    return [node.name for node in plan.nodes] + [wires.NODE]


def _told(topology: Topology) -> dict[str, frozenset[str]]:
    machines: list[Host | Router | Vm] = [*topology.hosts.values(), *topology.routers.values()]
    machines += topology.vms.values()
    return {machine.name: frozenset(machine.sysctls) for machine in machines}


# -- up


@contextmanager
def bring_up(
    topology: Topology,
    *,
    seed: int | None = None,
    pcap_dir: Path | None = None,
    split: bool = False,
    pcap_format: str = "pcapng",
    stays: bool = True,
) -> Iterator[KernelLab]:
    """Build the lab, and give it for its scenario to be played; it stays up afterwards, or not.

    What fails while it is built is taken down again. Raises :class:`KernelError` where the machine
    cannot, :class:`NotAsExpectedError` where the lab is up already, :class:`UsageError` where the
    file asks for what no kernel does.
    """
    check_machine()
    check_packets(topology)
    network, plan = planned(topology, seed)
    with locked(topology.name) as folder:
        if find_record(topology.name) is not None:
            what = f"{topology.name} is up already"
            raise NotAsExpectedError(what, f"vnet down --kernel {topology.name} takes it down")
        missing = _check_kernel(plan)
        _check_names(plan)
        record = Record(topology.name, folder)
        lab = KernelLab(network, plan, record, missing)
        try:
            try:
                lab.build(pcap_dir, split=split, form=pcap_format)
            except BaseException:
                take_down(record)
                raise
            yield lab
        finally:
            lab.close()
            if not stays and record.path.exists():
                take_down(record)


def planned(topology: Topology, seed: int | None = None) -> tuple[Network, Plan]:
    """The lab in memory, and what the kernel is to be made like. Raises :class:`UsageError` for
    what it cannot be."""
    chance = Chance(topology.seed if seed is None else seed)
    network = NetworkBuilder(topology, Scheduler(), chance).build()
    plan = read_plan(network)
    if plan.impossible:
        listed = "\n".join(f"{topology.name}: {sentence}" for sentence in plan.impossible)
        raise UsageError(f"{listed}\nthe kernel cannot be this lab", "`vnet run` can")
    return network, plan


def _check_kernel(plan: Plan) -> list[Capability]:
    """What the kernel lacks and a lab can do without.

    Raises :class:`KernelError` with what it cannot do without.
    """
    missing = lacking(needs(plan))
    grave = [each for each in missing if each not in OPTIONAL]
    if grave:
        raise KernelError(
            f"for {plan.lab} this kernel lacks {_listed(grave)}",
            "load the modules or install the programs, or use `vnet run`",
        )
    return missing


def _listed(capabilities: Sequence[Capability]) -> str:
    return "; ".join(each.value for each in capabilities)


def _check_names(plan: Plan) -> None:
    taken = [
        name
        for name in (namespaces.name_of(plan.lab, node) for node in _node_names(plan))
        if namespaces.exists(name)
    ]
    if taken:
        what = f"there are network namespaces that vnet did not make: {', '.join(taken)}"
        raise NotAsExpectedError(what, "remove them with `ip netns del`, or rename the lab")


# -- down


def bring_down(lab: str) -> list[str] | None:
    """Take a lab down; None where it is not up. Returns notes on what of others stays."""
    check_machine()
    if not _LAB_NAME.fullmatch(lab):
        raise UsageError(f"{escaped(lab)} is no name of a lab")
    if find_record(lab) is None:
        return None
    with locked(lab):
        record = find_record(lab)
        return None if record is None else take_down(record)


def the_lab_that_is_up() -> str | None:
    """The only one; None where there is none. Raises :class:`UsageError` where there are more."""
    check_machine()
    labs = labs_up()
    if len(labs) > 1:
        raise UsageError(f"several labs are up: {', '.join(labs)}", "say which, or --all")
    return labs[0] if labs else None
