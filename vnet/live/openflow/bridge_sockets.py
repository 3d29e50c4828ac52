"""The two sockets of each bridge in the run directory: ``br0.mgmt`` and ``br0.snoop``.

The first is for ovs-ofctl(8). The second shows what a bridge and its controllers say to each
other; as long as no bridge has any, whoever comes to it is turned away, as Open vSwitch does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import TYPE_CHECKING

from vnet.live.clock import WallClock
from vnet.live.streams.listener import Listener, listen
from vnet.live.streams.stream import Stream
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.connection import SwitchConnection
from vnet.ovs.openflow.wire.hello import Versions
from vnet.ovs.openflow.wire.message import Message, ProtocolError
from vnet.ovs.vlog.vlog import SILENT, Vlog

if TYPE_CHECKING:
    from vnet.ovs.vswitchd.reconcile import Vswitchd

_VERSIONS = {f"OpenFlow1{minor}": minor + 1 for minor in range(6)}

_UNSENT_LIMIT_BYTES = 4 << 20
"""Who asks and does not read the answers is cut off."""


def versions_of(vswitchd: Vswitchd) -> dict[str, Versions]:
    """The versions of OpenFlow that each bridge speaks: its ``protocols``, or all."""
    return {
        name: [_VERSIONS[protocol] for protocol in bridge.config.protocols]
        for name, bridge in vswitchd.running.items()
    }


class BridgeSockets:
    """Those of all bridges of one daemon, in ``directory``."""

    def __init__(self, clock: WallClock, directory: str, vlog: Vlog = SILENT) -> None:
        self._clock = clock
        self._directory = directory
        self._vlog = vlog
        self._xids = count(1)
        self._bridges: dict[str, _Bridge] = {}

    def follow(self, bridges: Mapping[str, Versions]) -> None:
        """Have sockets for these bridges and no others; each speaks the versions given, or all."""
        for name in [name for name in self._bridges if name not in bridges]:
            self._bridges.pop(name).close()
        for name, versions in bridges.items():
            if name not in self._bridges:
                self._bridges[name] = _Bridge(
                    self._clock, f"{self._directory}/{name}", self._vlog, self._xids.__next__
                )
                self._vlog.module("connmgr").info(
                    f'{name}: added service controller "punix:{self._directory}/{name}.mgmt"'
                )
            self._bridges[name].versions = versions or tuple(OpenFlowVersion)

    @property
    def n_connections(self) -> int:
        """How many clients there are at all of them."""
        return sum(bridge.n_connections for bridge in self._bridges.values())

    def close(self) -> None:
        """Take all of them away."""
        self.follow({})


class _Bridge:
    """``path`` is that of the sockets without what sets them apart."""

    def __init__(self, clock: WallClock, path: str, vlog: Vlog, new_xid: Callable[[], int]) -> None:
        self.versions: Versions = ()
        self._name = path.rpartition("/")[2]
        self._vlog = vlog
        self._new_xid = new_xid
        self._streams: set[Stream] = set()
        self._listeners: list[Listener] = []
        for suffix, accepted in (("mgmt", self._accepted), ("snoop", self._snooper_came)):
            try:
                self._listeners.append(listen(clock, f"punix:{path}.{suffix}", accepted, vlog=vlog))
            except OSError as error:
                vlog.module("connmgr").err(
                    f"{self._name}: failed to listen on punix:{path}.{suffix} ({error.strerror})"
                )

    @property
    def n_connections(self) -> int:
        return len(self._streams)

    def close(self) -> None:
        for listener in self._listeners:
            listener.close()
        for stream in self._streams:
            stream.close()

    def _snooper_came(self, stream: Stream) -> None:
        self._vlog.module("connmgr").info("no controller connection to snoop")
        stream.close()

    def _accepted(self, stream: Stream) -> None:
        name = f"{self._name}<->{stream.peer}"

        def refused(_message: Message, error: str) -> None:
            if error == "OFPBRC_BAD_TYPE":
                text = f"{name}: sending {error} error reply to invalid message"
                self._vlog.module("connmgr").info(text)

        def heard(data: bytes) -> None:
            try:
                stream.send(connection.take(data))
            except ProtocolError as error:
                stream.send(error.answer)
                self._vlog.module(error.module).warn(f"{stream.peer}: {error.text}")
                self._vlog.module("rconn").warn(f"{name}: connection dropped (Protocol error)")
                self._ended(stream)

        connection = SwitchConnection(self.versions, self._new_xid(), refused=refused)
        self._streams.add(stream)
        stream.unsent_limit_bytes = _UNSENT_LIMIT_BYTES
        stream.on_closed = lambda _reason: self._ended(stream)
        stream.on_data = heard
        stream.send(connection.start())

    def _ended(self, stream: Stream) -> None:
        self._streams.discard(stream)
        stream.close()
