"""The storms of a run: who noticed them, and which loop of cables they were in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from vnet.base.errors import RunawayError
from vnet.base.ids import mac_text
from vnet.base.text import one_of
from vnet.base.units import duration_text
from vnet.lab.network import Network
from vnet.lab.switches import StormPort
from vnet.netdev.nic import Nic
from vnet.tables.storm import STORM_WINDOW_NS, Storm

if TYPE_CHECKING:
    import networkx

_MOST_NAMED = 6
"""Links that one message names."""

_Plugged: TypeAlias = frozenset[tuple[str, str]]
"""The links that were up, by their ends: plugs may move."""


@dataclass
class StormRow:
    """Frames circled in ``loop``, switches that cables join to a ring, or to several.

    ``mac`` sent the first of them. ``copies`` says for each switch how many frames that it had
    flooded came back at least, by which ports; a machine that moves meanwhile may add one.
    """

    loop: tuple[str, ...]
    began_ns: int
    ended_ns: int
    mac: str
    copies: dict[str, tuple[int, tuple[str, ...]]]

    def as_json(self) -> dict[str, Any]:
        """The row as ``run.json`` has it."""
        return {
            "loop": list(self.loop),
            "began": duration_text(self.began_ns),
            "ended": duration_text(self.ended_ns),
            "mac": self.mac,
            "copies": {
                switch: {"frames": frames, "ports": list(ports)}
                for switch, (frames, ports) in self.copies.items()
            },
        }

    def meets(self, storm: Storm[StormPort]) -> bool:
        """Whether ``storm`` is the same one, seen by another switch or a little later."""
        return (
            storm.began_ns <= self.ended_ns + STORM_WINDOW_NS
            and self.began_ns <= storm.ended_ns + STORM_WINDOW_NS
        )

    def take(self, switch: str, storm: Storm[StormPort]) -> None:
        """Add what ``switch`` saw of it."""
        if storm.began_ns < self.began_ns:
            self.began_ns, self.mac = storm.began_ns, mac_text(storm.mac)
        self.ended_ns = max(self.ended_ns, storm.ended_ns)
        frames, ports = self.copies.get(switch, (0, ()))
        came_by = {port.device.name for port in storm.ports}
        self.copies[switch] = frames + storm.copies, tuple(sorted(came_by | set(ports)))


class StormLog:
    """Remembers each storm that a switch of ``network`` notices, and which links were up then.

    A storm in which no time passes would never end, nor would one that multiplies; they raise
    :class:`~vnet.base.errors.RunawayError`. ``graph`` gives the lab's graph, which is made only
    when somebody asks for it.
    """

    def __init__(self, network: Network, graph: Callable[[], networkx.Graph[str]]) -> None:
        self._network = network
        self._graph = graph
        self._noted: list[tuple[str, Storm[StormPort], _Plugged]] = []
        self.on_first: Callable[[StormRow], None] | None = None
        """Called once, when frames are first known to circle."""
        for switch in network.all_switches():
            switch.storms.on_storm = partial(self._note, switch.label)
            switch.storms.on_standstill = partial(self._stand_still, switch.label)
        for node in network.switches.values():
            # A ring goes in by one cable and out by another.
            if sum(_leads_to_switch(nic, network) for nic in node.ports.values()) > 1:
                node.switch.watch_for_storms(node.ports.values())

    def __bool__(self) -> bool:
        return bool(self._noted)

    def _note(self, switch: str, storm: Storm[StormPort]) -> None:
        self._noted.append((switch, storm, self._plugged()))
        if self.on_first is not None and (rows := self.rows()):
            tell, self.on_first = self.on_first, None
            tell(rows[0])

    def _plugged(self) -> _Plugged:
        links = self._network.links
        return frozenset((k.ends[0].name, k.ends[1].name) for k in links if k.up)

    def _stand_still(self, switch: str, storm: Storm[StormPort]) -> None:
        if not self._looped_links():
            return
        came_back = f"{storm.copies_in_instant} frames came back to {switch}"
        if storm.began_ns == storm.ended_ns:
            hint = "break the loop, or give its links a latency or a bandwidth"
            raise RunawayError(f"{came_back} and no time passed", hint)
        # Time passes, but each round there are more.
        raise RunawayError(f"{came_back} at once", "break the loop, or give its links a bandwidth")

    def _looped_links(self) -> list[str]:
        """The names of the links that close loops just now."""
        from vnet.lab.graph import looped_links

        looped = looped_links(_as_plugged(self._graph(), self._plugged()))
        ends = {frozenset(pair) for pair in looped}
        links = self._network.links
        return [k.name for k in links if frozenset(end.name for end in k.ends) in ends]

    def named(self, error: RunawayError) -> RunawayError:
        """The same error, with the links that close loops in its hint."""
        names = self._looped_links()
        if not names:
            return error
        hint = f"loops lead over {one_of(names, _MOST_NAMED)}: {error.hint}"
        return RunawayError(error.what, hint)

    def rows(self) -> list[StormRow]:
        """Storms by the loop they were in, first things first.

        What a switch in no loop took for a storm was one that it heard from beside it, or somebody
        who has moved and says the same thing again.
        """
        loops: dict[_Plugged, list[tuple[str, ...]]] = {}
        rows: list[StormRow] = []
        for switch, storm, plugged in sorted(self._noted, key=lambda noted: noted[1].began_ns):
            if plugged not in loops:
                loops[plugged] = _tangles(self._graph(), plugged)
            loop = next((loop for loop in loops[plugged] if switch in loop), None)
            if loop is None:
                continue
            row = next((row for row in rows if row.loop == loop and row.meets(storm)), None)
            if row is None:
                mac = mac_text(storm.mac)
                row = StormRow(loop, storm.began_ns, storm.ended_ns, mac, {})
                rows.append(row)
            row.take(switch, storm)
        for row in rows:
            row.copies = dict(sorted(row.copies.items()))
        return rows


def _leads_to_switch(nic: Nic, network: Network) -> bool:
    return nic.end is not None and nic.end.peer.name.partition(":")[0] in network.switches


def _as_plugged(graph: networkx.Graph[str], plugged: _Plugged) -> networkx.Graph[str]:
    """The lab's graph with just the links that were up."""
    then: networkx.Graph[str] = graph.copy()
    then.remove_edges_from([edge for edge in graph.edges if graph.edges[edge]["kind"] == "link"])
    then.add_edges_from(sorted(plugged), kind="link")
    return then


def _tangles(graph: networkx.Graph[str], plugged: _Plugged) -> list[tuple[str, ...]]:
    """The loops that were closed; rings that share a switch are one."""
    from vnet.lab.graph import switching_loops

    tangles: list[dict[str, None]] = []
    for ring in switching_loops(_as_plugged(graph, plugged)):
        merged = dict.fromkeys(ring)
        for other in [tangle for tangle in tangles if merged.keys() & tangle.keys()]:
            tangles.remove(other)
            merged = other | merged
        tangles.append(merged)
    return [tuple(sorted(tangle)) for tangle in tangles]
