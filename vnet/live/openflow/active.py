"""The controllers that a bridge goes to."""

from __future__ import annotations

import os
from collections.abc import Callable

from vnet.base.units import NS_PER_MS
from vnet.live.openflow.conversation import Conversation
from vnet.live.openflow.rconn import Rconn
from vnet.live.openflow.service import MS_PER_S, probe_interval_ms
from vnet.live.openflow.snooper import Snooper
from vnet.live.openflow.wish import Around
from vnet.live.streams.reconnect import State
from vnet.live.streams.reconnecting import Reconnecting
from vnet.live.streams.stream import Stream
from vnet.live.streams.target import OPENFLOW_PORT
from vnet.ovs.connmgr.manager import ConnectionManager
from vnet.ovs.connmgr.packet_ins import PacketIns
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import ControllerRole
from vnet.ovs.openflow.wire import kinds
from vnet.ovs.openflow.wire.connection.hello import Versions
from vnet.ovs.openflow.wire.message import Message
from vnet.ovs.openflow.wire.recognition import kind_of
from vnet.ovs.vswitchd.controller_config import ControllerConfig
from vnet.ovs.vswitchd.controller_status import ControllerStatus

_ADMITTED_AFTER_MS = 30_000
"""A controller that has stayed for so long has admitted the bridge, whatever it says."""
_SAYS_NOTHING = frozenset(
    (
        kinds.OFPT_HELLO,
        kinds.OFPT_ERROR,
        kinds.OFPT_ECHO_REQUEST,
        kinds.OFPT_ECHO_REPLY,
        kinds.OFPT_FEATURES_REQUEST,
        kinds.OFPT_FEATURES_REPLY,
        kinds.OFPT_GET_CONFIG_REQUEST,
        kinds.OFPT_GET_CONFIG_REPLY,
        kinds.OFPT_SET_CONFIG,
        kinds.OFPT_QUEUE_GET_CONFIG_REQUEST,
        kinds.OFPT_GET_ASYNC_REQUEST,
        kinds.OFPST_GROUP_REQUEST,
        kinds.NXST_GROUP_REQUEST,
        kinds.OFPST_GROUP_DESC_REQUEST,
        kinds.NXST_GROUP_DESC_REQUEST,
        kinds.OFPST_GROUP_FEATURES_REQUEST,
        kinds.NXST_GROUP_FEATURES_REQUEST,
        kinds.OFPST_TABLE_FEATURES_REQUEST,
        kinds.OFPST_TABLE_DESC_REQUEST,
    )
)
"""What anybody may say, or ask (rconn's is_admitted_msg)."""
_MOST_SNOOPERS = 8
_ROLES = {
    ControllerRole.EQUAL: "other",
    ControllerRole.PRIMARY: "master",
    ControllerRole.SECONDARY: "slave",
}
_SNOOP_PREFERENCES = (
    ControllerRole.NOCHANGE,  # nobody is there
    ControllerRole.SECONDARY,
    ControllerRole.EQUAL,
    ControllerRole.PRIMARY,
)


class ActiveService:
    """Goes to a controller, again and again. Raises OSError for a target that is none.

    ``admitted`` is told when the controller shows that it takes the bridge for one of its own,
    ``dropped`` when it is no more; ``reached`` is told when it is there, whatever it thinks.
    """

    def __init__(
        self,
        around: Around,
        connmgr: ConnectionManager,
        config: ControllerConfig,
        versions: Versions,
        admitted: Callable[[str], None],
        dropped: Callable[[str], None],
        reached: Callable[[str], None],
    ) -> None:
        self.versions = versions
        self._around = around
        self._connmgr = connmgr
        self._config = config
        self._target = target = config.target
        self._name = f"{connmgr.ofproto.name}<->{target}"
        self._admitted = admitted
        self._dropped = dropped
        self._reached = reached
        self._conversation: Conversation | None = None
        self._is_admitted = False
        self._snoopers: list[Snooper] = []
        self._state = Rconn(self._name, 0, around.vlog)
        connmgr.make_ready()
        self._link = Reconnecting(
            *(around.clock, target, self._connected, self._disconnected),
            None if target.startswith("unix:") else self._probe,
            directory=around.directory,
            default_port=OPENFLOW_PORT,
            machine=lambda *_: self._state,
            greets=True,
            vlog=around.vlog,
            tls=around.tls,
        )

    def configure(self, config: ControllerConfig) -> None:
        """As Open vSwitch does, who is not there yet is gone to as is usual."""
        self._config = config
        if self._conversation is not None:
            self._conversation.configure(config)
        if self._state.is_connected:
            self._state.set_backoff(MS_PER_S, config.max_backoff_s * MS_PER_S)
            self._link.set_probe_interval(probe_interval_ms(config))

    def status(self) -> ControllerStatus:
        """How it stands."""
        state, now_ms = self._state, self._now_ms
        pairs = {"state": state.state.value}
        if state.last_error_text:
            pairs["last_error"] = state.last_error_text
        for name, since_ms in (
            ("sec_since_connect", state.last_connected_ms),
            ("sec_since_disconnect", state.last_disconnected_ms),
        ):
            if since_ms is not None:
                pairs[name] = str((now_ms - since_ms) // MS_PER_S)
        if self._conversation is not None:
            pairs |= _packet_in_pairs(self._conversation.packet_ins)
        return ControllerStatus(state.is_connected, self._role, pairs)

    @property
    def _role(self) -> str | None:
        if self._conversation is None or not self._state.is_connected:
            return None
        return _ROLES[self._conversation.role]

    @property
    def snoop_preference(self) -> int:
        """The greater, the more there is to see."""
        if self._conversation is None or not self._state.is_connected:
            return 0
        return _SNOOP_PREFERENCES.index(self._conversation.role)

    def show(self, stream: Stream) -> None:
        """Show a snooper all that is said, as long as its client is there."""
        if len(self._snoopers) >= _MOST_SNOOPERS:
            stream.close()
            return
        self._around.vlog.module("rconn").info(f"new monitor connection from {stream.peer}")
        self._snoopers.append(Snooper(stream, self._connmgr.new_xid(), self._snoopers.remove))

    def _told(self, message: bytes) -> None:
        for snooper in self._snoopers:
            snooper.show(message)

    @property
    def n_connections(self) -> int:
        """One or none."""
        return int(self._state.is_connected)

    def reconnect(self) -> None:
        """Drop the connection there is, and make another after the usual wait."""
        self._state.force_reconnect(self._now_ms)
        if self._state.state is State.RECONNECT:
            self._link.drop(0)

    def close(self) -> None:
        """Go there no more."""
        self._link.close()
        for snooper in list(self._snoopers):
            snooper.close()
        if self._conversation is not None:
            self._conversation.closed()
            self._conversation = None

    @property
    def _now_ms(self) -> int:
        return self._around.clock.real_now_ns // NS_PER_MS

    def _connected(self, stream: Stream) -> None:
        self._is_admitted = False
        self._conversation = Conversation(
            *(stream, self._name, self.versions, self._around.clock, self._connmgr),
            is_primary=self._config.is_primary,
            broken=self._link.drop,
            heard=self._heard,
            greeted=self._greeted,
        )
        self._conversation.configure(self._config)
        self._conversation.watch(self._told)

    def _greeted(self) -> None:
        self._link.greeted()
        self._reached(self._target)

    def _disconnected(self, _reason: str) -> None:
        if self._conversation is not None:
            self._conversation.closed()
            self._conversation = None
        self._dropped(self._target)

    def _heard(self, message: Message) -> None:
        """Once it has said anything that means more, it has admitted the bridge for good."""
        self._link.activity()
        if not self._is_admitted:
            connected_ms = self._state.last_connected_ms
            lasts_ms = 0 if connected_ms is None else self._now_ms - connected_ms
            self._is_admitted = lasts_ms >= _ADMITTED_AFTER_MS or _says_something(message)
        if self._is_admitted:
            self._admitted(self._target)

    def _probe(self) -> None:
        if self._conversation is not None:
            self._conversation.probe()


def _says_something(message: Message) -> bool:
    try:
        kind, _ = kind_of(message)
    except OpenFlowError:
        return False
    return kind not in _SAYS_NOTHING


def _packet_in_pairs(packet_ins: PacketIns) -> dict[str, str]:
    """What becomes of packet-ins, where there is a limit to their rate."""
    pairs = {}
    for name, rate in (("action", packet_ins.actions), ("miss", packet_ins.misses)):
        if rate is not None:
            pairs[f"packet-in-{name}-backlog"] = str(rate.n_queued)
            pairs[f"packet-in-{name}-bypassed"] = str(rate.n_normal)
            pairs[f"packet-in-{name}-queued"] = str(rate.n_limited)
            pairs[f"packet-in-{name}-dropped"] = str(rate.n_dropped)
    return pairs


class LostService:
    """A controller that cannot be gone to, for its address is none."""

    def __init__(self, around: Around, bridge: str, target: str, error: OSError) -> None:
        self.versions: Versions = ()
        self._reason = os.strerror(error.errno or 0)
        log, name = around.vlog.module("rconn"), f"{bridge}<->{target}"
        log.info(f"{name}: connecting...")
        log.warn(f"{name}: connection failed ({self._reason})")

    def configure(self, config: ControllerConfig) -> None:
        """There is nobody to be treated so."""

    def status(self) -> ControllerStatus:
        """It is like one that nobody answers at."""
        pairs = {"state": State.BACKOFF.value, "last_error": self._reason}
        return ControllerStatus(False, None, pairs)

    n_connections = 0

    def reconnect(self) -> None:
        """There is nothing to be made anew."""

    def close(self) -> None:
        """There is nothing to be ended."""
