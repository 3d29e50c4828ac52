"""What ovs-ofctl(8), ovs-appctl(8) and ovs-vsctl(8) say to one bridge of a lab, as methods.

They are named as the programs' commands, take the texts that those take, and give back the lines
that those print, without headings and without the space in front. Ports may be called by name; a
number will do for a port, a group or a meter. What is no text raises
:class:`~vnet.base.errors.UsageError`, a bad text :class:`~vnet.ovs.flow.errors.OvsTextError`, what
the bridge refuses :class:`~vnet.ovs.openflow.errors.OpenFlowError`; nothing has changed then. A
change is in force before the next frame.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from vnet.base.errors import UsageError

if TYPE_CHECKING:
    from vnet.hypervisor.openvswitch import OpenVSwitch
    from vnet.ovs.ofproto.ofproto import Ofproto
    from vnet.ovs.ofproto.upcall_note import UpcallNote


class OvsCommands(ABC):
    """Commands to the bridge :attr:`name` of :attr:`machine`."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The bridge."""

    @property
    @abstractmethod
    def machine(self) -> OpenVSwitch:
        """The Open vSwitch that it is a bridge of."""

    def ofctl(
        self,
        command: str,
        *words: str | int,
        names: bool = False,
        strict: bool = False,
        stdin: str = "",
    ) -> str:
        """``ovs-ofctl COMMAND BRIDGE WORDS``: what it prints. With ``names`` ports are called by
        name; a file called ``-`` is ``stdin``."""
        # Labs without Open vSwitch do without all that it is made of.
        from vnet.ovs.vswitchd.ofctl.command import Options
        from vnet.ovs.vswitchd.ofctl.table import ofctl

        options = Options(shows_names=names, is_strict=strict, stdin=stdin)
        given = [word for word in map(_word, words) if word]
        return ofctl(self.machine.vswitchd, _text(command), [self.name, *given], options)

    def appctl(self, command: str, *words: str | int) -> str:
        """``ovs-appctl COMMAND WORDS``: what it prints."""
        from vnet.ovs.vswitchd.appctl.table import appctl

        return appctl(self.machine.vswitchd, _text(command), [_word(word) for word in words])

    def vsctl(self, *words: str | int) -> str:
        """``ovs-vsctl WORDS``, of the bridge's machine: what a terminal shows then. Statistics are
        as of now. Where it waits for what is not so, that is a :class:`UsageError`."""
        from vnet.ovs.vsctl.context import NotYetError

        try:
            outcome = self.machine.vsctl([_word(word) for word in words])
        except NotYetError:
            raise UsageError("what ovs-vsctl waits for is not so", "run the lab first") from None
        if outcome.status:
            raise UsageError(f"ovs-vsctl ends with status {outcome.status}")
        return outcome.text

    def _listed(self, command: str, *words: str | int, names: bool = False) -> list[str]:
        """The lines of a dump, without its heading."""
        lines = self.ofctl(command, *words, names=names).split("\n")
        return [line.removeprefix(" ") for line in lines if line and " reply (" not in line]

    # -- flows

    def add_flow(self, text: str) -> None:
        """``ovs-ofctl add-flow``."""
        self.ofctl("add-flow", _text(text))

    def add_flows(self, texts: str | Sequence[str]) -> None:
        """``ovs-ofctl add-flows``: a text with a flow a line, or a list of flows; all or none."""
        self.ofctl("add-flows", "-", stdin=_joined(texts))

    def mod_flows(self, text: str, *, strict: bool = False) -> None:
        """``ovs-ofctl mod-flows``."""
        self.ofctl("mod-flows", _text(text), strict=strict)

    def del_flows(self, text: str = "", *, strict: bool = False) -> None:
        """``ovs-ofctl del-flows``; without a text every flow goes."""
        self.ofctl("del-flows", _text(text), strict=strict)

    def dump_flows(self, text: str = "", *, names: bool = False) -> list[str]:
        """``ovs-ofctl dump-flows``: a line for each flow, or for those that ``text`` means."""
        return self._listed("dump-flows", _text(text), names=names)

    def dump_aggregate(self, text: str = "") -> str:
        """``ovs-ofctl dump-aggregate``: their counters together."""
        return self.ofctl("dump-aggregate", _text(text)).partition(": ")[2]

    def dump_tables(self) -> str:
        """``ovs-ofctl dump-tables``: which tables have flows, and were looked up in."""
        return self.ofctl("dump-tables").partition("\n")[2]

    # -- groups and meters

    def add_group(self, text: str) -> None:
        """``ovs-ofctl add-group``."""
        self.ofctl("add-group", _text(text))

    def add_groups(self, texts: str | Sequence[str]) -> None:
        """``ovs-ofctl add-groups``: a text with a group a line, or a list; all or none."""
        self.ofctl("add-groups", "-", stdin=_joined(texts))

    def mod_group(self, text: str) -> None:
        """``ovs-ofctl mod-group``."""
        self.ofctl("mod-group", _text(text))

    def del_groups(self, text: str | int = "") -> None:
        """``ovs-ofctl del-groups``, by text or number; without either every group goes."""
        self.ofctl("del-groups", _word(text, "group_id="))

    def dump_groups(self, *, names: bool = False) -> list[str]:
        """``ovs-ofctl dump-groups``: a line for each group."""
        return self._listed("dump-groups", names=names)

    def dump_group_stats(self, text: str | int = "") -> list[str]:
        """``ovs-ofctl dump-group-stats``: what each group and its buckets have seen."""
        return self._listed("dump-group-stats", _word(text, "group_id="))

    def add_meter(self, text: str) -> None:
        """``ovs-ofctl add-meter``."""
        self.ofctl("add-meter", _text(text))

    def mod_meter(self, text: str) -> None:
        """``ovs-ofctl mod-meter``."""
        self.ofctl("mod-meter", _text(text))

    def del_meters(self, text: str | int = "") -> None:
        """``ovs-ofctl del-meters``, by text or number; without either every one goes. The flows
        that name a meter go with it."""
        self.ofctl("del-meters", _word(text, "meter="))

    def dump_meters(self, text: str | int = "") -> list[str]:
        """``ovs-ofctl dump-meters``: a line for each meter, and one for each of its bands."""
        return self._listed("dump-meters", _word(text, "meter="))

    def meter_stats(self, text: str | int = "") -> list[str]:
        """``ovs-ofctl meter-stats``: what each meter has counted, and what its bands dropped."""
        return self._listed("meter-stats", _word(text, "meter="))

    # -- ports

    def show(self) -> str:
        """``ovs-ofctl show``: the bridge's features and ports."""
        return self.ofctl("show")

    def dump_ports(self, port: str | int = "", *, names: bool = False) -> list[str]:
        """``ovs-ofctl dump-ports``: the ports' counters, after a line that counts the ports."""
        return self.ofctl("dump-ports", port, names=names).partition(": ")[2].split("\n")

    def dump_ports_desc(self) -> list[str]:
        """``ovs-ofctl dump-ports-desc``: name, address, configuration and state of each port."""
        return self._listed("dump-ports-desc")

    def mod_port(self, port: str | int, setting: str) -> None:
        """``ovs-ofctl mod-port``: ``down``, ``no-flood``, ``no-receive`` and so on."""
        self.ofctl("mod-port", port, _text(setting))

    # -- what the daemon and the datapath know

    def fdb_show(self) -> list[str]:
        """``ovs-appctl fdb/show``: the stations, after a heading."""
        return self.appctl("fdb/show", self.name).split("\n")

    def fdb_flush(self) -> None:
        """``ovs-appctl fdb/flush``: forget the stations."""
        self.appctl("fdb/flush", self.name)

    def trace(self, flow: str, *options: str) -> str:
        """``ovs-appctl ofproto/trace``: which way a packet takes. With the option ``-generate``
        it has the side effects of such a packet."""
        return self.appctl("ofproto/trace", self.name, _text(flow), *map(_text, options))

    def dump_megaflows(self, *, names: bool = False) -> list[str]:
        """``ovs-appctl dpif/dump-flows``: what the datapath does with frames that come in by
        this bridge without asking, a line for each flow."""
        flag = "--names" if names else "--no-names"
        return self.appctl("dpif/dump-flows", flag, self.name).splitlines()

    @contextmanager
    def watch_upcalls(self) -> Iterator[list[UpcallNote]]:
        """While the block lasts, a list that grows by each frame that came in by this bridge and
        that the datapath did not know, with the megaflow that it left."""
        seen: list[UpcallNote] = []
        watchers = self.machine.vswitchd.backer.upcall_watchers

        def watch(note: UpcallNote) -> None:
            if note.bridge == self.name:
                seen.append(note)

        watchers.append(watch)
        try:
            yield seen
        finally:
            watchers.remove(watch)

    def dump_conntrack(self, zone: int | None = None) -> list[str]:
        """``ovs-appctl dpctl/dump-conntrack``: the connections of the switch's datapath, or those
        of a zone, a line each."""
        words = [] if zone is None else [f"zone={zone}"]
        return self.appctl("dpctl/dump-conntrack", *words).splitlines()


class BridgeCommands(OvsCommands):
    """Commands to a bridge of a machine."""

    def __init__(self, machine: OpenVSwitch, name: str) -> None:
        self._machine = machine
        self._name = name

    @property
    def name(self) -> str:
        return self._name

    @property
    def machine(self) -> OpenVSwitch:
        return self._machine

    @property
    def bridge(self) -> Ofproto:
        """The bridge as OpenFlow sees it."""
        return self._machine.bridge(self._name)


def _joined(texts: str | Sequence[str]) -> str:
    return "\n".join(map(_text, texts)) if isinstance(texts, list | tuple) else _text(texts)


def _word(word: str | int, key: str = "") -> str:
    """A word of a command. A number is what tells a group, a meter or a port from the others;
    ``key`` is what the program wants in front of it."""
    return f"{key}{word}" if type(word) is int else _text(word)


def _text(text: object) -> str:
    if not isinstance(text, str):
        raise UsageError(f"{text!r} is no text", "write what ovs-ofctl or ovs-appctl would take")
    return text
