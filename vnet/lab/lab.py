"""The lab: a topology, built and ready to run.

with Lab.load("topologies/two-hosts.yaml", pcap_dir="/tmp/out") as lab:
    print(lab.vm("vm1").ping("10.0.0.2", count=3))
    lab.run(until="2s")
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from vnet.base.chance import Chance
from vnet.base.collector import collector_paused
from vnet.base.errors import ReentryError, RunawayError, StorageError, UsageError
from vnet.base.text import escaped
from vnet.base.units import NS_PER_S, parse_duration_ns
from vnet.guest.apps.app import App
from vnet.lab.build import Builder
from vnet.lab.captures import Captures
from vnet.lab.handles import MachineHandle, VmHandle
from vnet.lab.lease_rows import lease_rows
from vnet.lab.link_handle import LinkHandle
from vnet.lab.nat_rows import nat_rows
from vnet.lab.pingall import PingAll, choose_pairs
from vnet.lab.report import Report, all_ends, drop_rows, link_rows
from vnet.lab.scenario import ScenarioRunner, VirtualStage, check_packets
from vnet.lab.shipped import resolve
from vnet.lab.storms import StormLog, StormRow
from vnet.lab.switch_handle import SwitchHandle
from vnet.sim.frame import Meta
from vnet.sim.scheduler import Scheduler
from vnet.sim.trace import FlightRecorder, Trace, TraceNode
from vnet.topology.load import load_topology, parse_topology
from vnet.topology.model import Topology

if TYPE_CHECKING:
    import networkx

LAST_NS = 100 * 365 * 24 * 3600 * NS_PER_S
"""A century: far from where virtual time, and the time stamps of captures, end."""

_IDLE_RUN_NS = 5_000_000_000
"""How long a lab without a scenario runs when no end is given."""


class Lab:
    """A running lab. Every call that takes virtual time raises ReentryError inside an event.

    Captures are written to ``pcap_dir`` as the lab runs; None keeps them for the lab itself, in
    memory and, once they are many, in a temporary file. ``follow`` traces every frame from
    where it begins: ``flight_recorder`` then knows how the last one died. Carrying a frame then
    takes up to twice as long.

    With ``ovs_netlink`` captured frames are commented with what they had the datapaths of Open
    vSwitch ask and be told, by the names of netlink.

    ``clock`` is a scheduler of somebody's who lets time pass otherwise than by :meth:`run`: a lab
    that lives by the wall clock plays its scenario by :meth:`start_scenario`.
    """

    def __init__(
        self,
        topology: Topology,
        *,
        seed: int | None = None,
        pcap_dir: str | Path | None = None,
        split: bool = False,
        pcap_format: str = "pcapng",
        follow: bool = False,
        ovs_netlink: bool = False,
        clock: Scheduler | None = None,
    ) -> None:
        check_packets(topology)
        self.topology = topology
        self.seed = topology.seed if seed is None else seed
        self.scheduler = Scheduler() if clock is None else clock
        self._is_live = clock is not None
        self._graph: networkx.Graph[str] | None = None
        self._runner: ScenarioRunner | None = None
        self._closed = False
        with collector_paused():
            builder = Builder(topology, self.scheduler, Chance(self.seed))
            self._captures = Captures(topology, builder.namespaces)
            self.network = builder.build()
        self.flight_recorder = FlightRecorder() if follow else None
        for device in self.network.devices():
            device.recorder = self.flight_recorder
        self._storm_log = StormLog(self.network, lambda: self.graph)
        self._captures.attach(self.network)
        if ovs_netlink:
            from vnet.lab.netlink_comments import comment_netlink

            comment_netlink(self.network)
        self._captures.open(
            None if pcap_dir is None else Path(pcap_dir), split=split, form=pcap_format
        )

    @classmethod
    def load(cls, path: str | Path, **options: Any) -> Lab:
        """Load a topology file, or ``@name`` for a shipped one.

        Raises :class:`~vnet.base.errors.TopologyError` with every problem of the file.
        """
        if not isinstance(path, str | Path):
            raise UsageError(f"{path!r} is not the path of a topology")
        with collector_paused():
            topology = load_topology(resolve(path))
        return cls(topology, **options)

    @classmethod
    def from_text(cls, text: str, **options: Any) -> Lab:
        """Build a lab from the text of a topology."""
        with collector_paused():
            topology = parse_topology(text)
        return cls(topology, **options)

    # -- what is in it

    @property
    def name(self) -> str:
        return self.topology.name

    @property
    def now_ns(self) -> int:
        """Virtual nanoseconds since the lab started."""
        return self.scheduler.now_ns

    def vm(self, name: str) -> VmHandle:
        """A virtual machine by name."""
        guest = self.network.vms.get(name)
        if guest is None:
            raise _unknown("VM", name, self.network.vms)
        return VmHandle(self, guest)

    def host(self, name: str) -> MachineHandle:
        """A host by name."""
        machine = self.network.hosts.get(name)
        if machine is None:
            raise _unknown("host", name, self.network.hosts)
        return MachineHandle(self, machine)

    def router(self, name: str) -> MachineHandle:
        """A router by name."""
        machine = self.network.routers.get(name)
        if machine is None:
            raise _unknown("router", name, self.network.routers)
        return MachineHandle(self, machine)

    def machine(self, name: str) -> MachineHandle:
        """A VM, host or router by name."""
        if name in self.network.vms:
            return self.vm(name)
        machine = self.network.machine(name)
        if machine is None:
            raise _unknown("machine", name, [m.name for m in self.network.machines()])
        return MachineHandle(self, machine)

    def switch(self, name: str) -> SwitchHandle:
        """A switch by name: one on the wire, or a host's (``br0``, or ``h1:br0``)."""
        found = {switch.label: switch for switch in self.network.all_switches()}
        matches = [key for key in found if name in (key, key.partition(":")[2])]
        if len(matches) > 1:
            raise UsageError(f"several hosts have a switch {name}", f"say {' or '.join(matches)}")
        if not matches:
            raise _unknown("switch", name, found)
        return SwitchHandle(self, found[matches[0]])

    def link(self, end: str) -> LinkHandle:
        """The link that ends at a device: ``h1:eth0``, or ``h1:peth0`` as it is called now."""
        link = self.network.link_at(end)
        if link is None:
            ends = [end.name for link in self.network.links for end in link.ends]
            raise _unknown("link at", end, ends)
        return LinkHandle(self, link)

    @property
    def graph(self) -> networkx.Graph[str]:
        """The lab as a graph of nodes, devices and links; see :mod:`vnet.lab.graph`."""
        if self._graph is None:
            from vnet.lab.graph import build_graph

            self._graph = build_graph(self.topology)
        return self._graph

    # -- running

    def run(self, until: str | int | None = None) -> Report:
        """Run the scenario: to its end, or just to the virtual time ``until`` ("2s", or ns).

        A lab without a scenario just runs on, five seconds if no end is given. What the
        scenario has not done by ``until`` it goes on with in the next call; what ends before
        leaves the lab running on until then.
        """
        self.check_may_run()
        until_ns = _moment_ns(until)
        runner = self._runner or self.start_scenario(self.scheduler.stop)
        if until_ns is None and runner.done:
            until_ns = self.now_ns + _IDLE_RUN_NS
        if until_ns is not None:
            self._run_to(until_ns)
        else:
            while not runner.done and self.scheduler.next_event_ns is not None:
                self._run_events()
        self.flush_captures()
        return self.report()

    def start_scenario(self, on_end: Callable[[], None]) -> ScenarioRunner:
        """Have the steps begin, those whose time has come at once, as time passes from now on.

        ``on_end`` is called, in an event, when the last has ended.
        """
        self.check_open()
        self._runner = ScenarioRunner(VirtualStage(self.network), self.topology.scenario, on_end)
        self._runner.start()
        return self._runner

    def when_frames_circle(self, tell: Callable[[StormRow], None]) -> None:
        """Have ``tell`` called once, at the first storm: what follows may take its time."""
        self._storm_log.on_first = tell

    def advance(self, duration: str | int) -> None:
        """Let ``duration`` ("2s", or ns) of virtual time pass, without starting the scenario."""
        self.check_may_run()
        duration_ns = _moment_ns(duration)
        if duration_ns is None:
            raise UsageError("how long the lab shall run is missing", 'say "2s"')
        self._run_to(self.now_ns + duration_ns)

    def check_may_run(self) -> None:
        """Raise where the lab cannot be run: inside one of its own events, or once closed."""
        if self.scheduler.running:
            raise ReentryError(
                "the lab cannot be run forward from inside one of its own events",
                "answer from a callback instead of waiting",
            )
        self.check_open()

    def check_open(self) -> None:
        """Raise where nothing of the lab can be changed any more, because it was closed."""
        if self._closed:
            raise UsageError("the lab is closed", "load it again")

    def wait_for(self, app: App) -> None:
        """Start ``app`` and run the lab until it has ended."""
        self.check_may_run()
        app.on_done = lambda _app: self.scheduler.stop()
        app.start()
        try:
            while not app.done and self.scheduler.next_event_ns is not None:
                self._run_events()
        finally:
            # Interrupted, or a lab in which nothing happens any more.
            app.on_done = None
            app.finish()

    def pingall(
        self, names: Sequence[str] = (), *, classes: bool = False, sample: int | None = None
    ) -> PingAll:
        """Ping among the machines ``names`` (all VMs if none are named), once each.

        Every pair; with ``classes`` one or two machines of each class of like ones; with
        ``sample`` that many random pairs, drawn from the seed. The result has ``seen()``,
        ``losses``, and ``outcomes`` by pair; printed, it is one line of figures.
        """
        chosen = [self.machine(name).name for name in names] or list(self.network.vms)
        pairs = choose_pairs(self.network, chosen, classes=classes, sample=sample)
        app = PingAll(self.network, pairs)
        self.wait_for(app)
        return app

    def _run_events(self, until_ns: int | None = None) -> None:
        try:
            self.scheduler.run(until_ns)
        except RunawayError as error:
            raise self._storm_log.named(error) from None

    def _run_to(self, until_ns: int) -> None:
        if until_ns > LAST_NS:
            raise UsageError("a lab runs for a century at most")
        # Again, because the end of the scenario, or of an app, stops the scheduler early.
        self._run_events(until_ns)
        while self.now_ns < until_ns:
            self._run_events(until_ns)

    def trace(
        self, source: str, packet: Any, *, device: str | int = 0, within: str | int = "5s"
    ) -> TraceNode:
        """Send ``packet`` (a Scapy packet or bytes) from a machine and follow all it causes.

        Returns the root of the tree; ``print`` it. ``within`` is how long to follow. In a
        storm the tree is cut before it fills the memory, with a node that says so.
        """
        self.check_may_run()
        vnic = self.machine(source).vnic(device)
        within_ns = _moment_ns(within) or 0
        card = "vNIC" if source in self.network.vms else "device"
        root = TraceNode(self.now_ns, vnic.name, f"handed to the {card}")
        recorder = self.flight_recorder
        trace = Trace(root) if recorder is None else recorder.begin(root, kept=True)
        vnic.send_traced(packet, Meta(trace))
        self.advance(within_ns)
        return root

    # -- results

    @property
    def captures(self) -> dict[str, Any]:
        """What each capture point heard so far, as Scapy packet lists, by point name.

        Frames that are in the capture files already are read back from there. Netlink
        messages come as ``Raw``.
        """
        return _PacketLists(self._captures.packets())

    def flush_captures(self) -> None:
        """Write what was heard so far to the capture files, so that others can read them."""
        self._captures.flush()

    @property
    def capture_paths(self) -> list[Path]:
        """The capture files; none where captures are kept for the lab alone."""
        return self._captures.paths

    def report(self) -> Report:
        """Steps, counters, drops and captures as they stand."""
        return Report(
            self.name,
            self.seed,
            self.now_ns,
            [] if self._runner is None else self._runner.outcomes,
            link_rows(all_ends(self.network)),
            drop_rows(self.network),
            self._captures.counts,
            self._captures.file_names,
            self._storms(),
            nat_rows(self.network),
            lease_rows(self.network),
            is_live=self._is_live,
        )

    def _storms(self) -> list[StormRow]:
        return self._storm_log.rows() if self._storm_log else []

    def close(self) -> Report:
        """End the lab: judge unfinished steps, complete the capture files, write run.json."""
        if self._runner is not None and not self._closed:
            self._runner.close()
        report = self.report()
        if not self._closed:
            self._closed = True
            self._captures.finish(report.as_json())
        return report

    def __enter__(self) -> Lab:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self.close()
        except StorageError:
            # A disk that was full stays full: what it first refused is what the user must hear.
            if not isinstance(error, StorageError):
                raise

    def __repr__(self) -> str:
        return f"<Lab {self.name} at {self.now_ns / 1e9:g}s>"


class _PacketLists(dict[str, Any]):
    """Packet lists by capture point; a point that is not there is the caller's mistake."""

    def __missing__(self, name: str) -> Any:
        raise _unknown("capture point", name, self)


def _moment_ns(moment: str | int | None) -> int | None:
    if moment is None or (isinstance(moment, int) and moment >= 0):
        return moment
    try:
        return parse_duration_ns(moment)  # type: ignore[arg-type]
    except (ValueError, TypeError, AttributeError):
        raise UsageError(
            f"{moment!r} is not a virtual time", 'write "2s", or whole nanoseconds'
        ) from None


def _unknown(kind: str, name: str, known: Any) -> UsageError:
    hint = f"there are {', '.join(known) or 'none'}"
    return UsageError(f"there is no {kind} {escaped(str(name))}", hint)
