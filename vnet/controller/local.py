"""A controller in this process: connected to a bridge of a lab, in virtual time."""

from __future__ import annotations

from collections.abc import Callable

from vnet.controller.app import App, AppError
from vnet.controller.events import (
    STATS_REPLIES,
    BarrierReply,
    ErrorReply,
    FlowRemoved,
    PacketIn,
    PortStatus,
    SwitchConnected,
    SwitchGone,
)
from vnet.controller.link import ALL_VERSIONS, LocalLink, Versions
from vnet.controller.switch import Switch
from vnet.ovs.openflow import messages
from vnet.ovs.openflow.controller.connection import ControllerConnection
from vnet.ovs.openflow.controller.heard import Flows, Heard
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import PortReason
from vnet.ovs.openflow.wire import kinds
from vnet.ovs.openflow.wire.errors import ReceivedError
from vnet.ovs.openflow.wire.packing import has_more
from vnet.ovs.vswitchd.bridge import Bridge
from vnet.sim.scheduler import Scheduler

_MOST_ERRORS = 100
"""How many different ones are kept."""
_MOST_AT_ONCE = 10_000
"""So many messages or calls in one instant come of an app that answers what comes of its own
answers, or that asks at each call for the next one."""


class LocalController:
    """Controls ``bridge``, which the lab calls ``label``, until :meth:`close`.

    ``app`` is told of what happens; ``watchers`` of every message from the switch, too. What goes
    wrong in the app is counted by ``n_errors``; what the first hundred different ones are stands
    in ``errors``, and ``tell_error`` has heard of each of them.

    Raises :class:`UsageError` where the bridge speaks none of ``versions``.
    """

    def __init__(
        self,
        bridge: Bridge,
        label: str,
        scheduler: Scheduler,
        app: App | None = None,
        *,
        versions: Versions = ALL_VERSIONS,
        tell_error: Callable[[AppError], None] = lambda _error: None,
    ) -> None:
        self.label = label
        self.app = app
        self.errors: list[str] = []
        self.n_errors = 0
        self.watchers: list[Callable[[Heard], None]] = []
        self.n_packet_ins = 0
        self._bridge = bridge
        self._scheduler = scheduler
        self._tell_error = tell_error
        self._is_known = False
        self._instant_ns, self._n_at_once = 0, 0
        self._entries: dict[int, list[object]] = {}
        """What has come of answers in several parts, by their numbers."""
        link = self._link = LocalLink(
            *(bridge, label, scheduler, self._take), versions=versions, is_primary=True
        )
        self._connection = ControllerConnection(
            versions, link.send, ready=self._ready, tell=self._heard
        )
        self.switch = Switch(
            *(label, self._connection, scheduler, self._call_later),
            openflow_full=lambda: bridge.ofproto.openflow_full,
        )
        bridge.control.attach(link.name, self.close)
        link.start()
        self._connection.start()
        link.settle()

    @property
    def is_open(self) -> bool:
        """Whether it controls the bridge."""
        return self._link.is_open

    @property
    def is_ready(self) -> bool:
        """Whether the switch has told what it is, and can be told things."""
        return self._is_known and self.is_open

    def close(self) -> None:
        """Let go of the bridge: it does what it does without a controller."""
        if not self.is_open:
            return
        if self._is_known:
            self._tell(SwitchGone(self.switch))
        self._link.close()
        self._bridge.control.detach(self._link.name)
        self._link.settle()

    def snoop(self, watcher: Callable[[bytes], None]) -> Callable[[], None]:
        """Show somebody each message that comes or goes, until the function is called that this
        returns."""
        self._link.watchers.append(watcher)
        return lambda: self._link.watchers.remove(watcher)

    # -- between the ends

    def _take(self, data: bytes) -> None:
        what = f"messages came from {self.label}"
        if self._may_go_on(what, "does what the app sends come back?"):
            self._connection.take(data)

    def _may_go_on(self, what: str, hint: str) -> bool:
        """Whether time passes; if not, the bridge is let go of, for too much of ``what``."""
        now_ns = self._scheduler.now_ns
        self._n_at_once = self._n_at_once + 1 if now_ns == self._instant_ns else 1
        self._instant_ns = now_ns
        if self._n_at_once <= _MOST_AT_ONCE:
            return True
        name = self.label if self.app is None else self.app.name
        text = f"{name}: {_MOST_AT_ONCE} {what} while no time passed; it is let go of"
        self._failed(AppError(text, hint))
        self.close()
        return False

    # -- what the switch says

    def _ready(self) -> None:
        self._is_known = True
        self.switch.ports = {desc.port: desc for desc in self._connection.ports}
        self._tell(SwitchConnected(self.switch))

    def _heard(self, heard: Heard) -> None:
        content = heard.content
        if isinstance(content, messages.PortStatus):
            self._note_port(content)
        elif isinstance(content, messages.PacketIn):
            self.n_packet_ins += 1
        for watch in list(self.watchers):
            watch(heard)
        event = self._event_of(heard)
        if event is not None and self.is_ready:
            self._tell(event)

    def _note_port(self, status: messages.PortStatus) -> None:
        number = status.desc.port
        if status.reason is PortReason.DELETE:
            self.switch.ports.pop(number, None)
        else:
            self.switch.ports[number] = status.desc

    def _event_of(self, heard: Heard) -> object | None:
        match heard.content:
            case messages.PacketIn() as packet_in:
                return PacketIn(self.switch, packet_in)
            case messages.FlowRemoved() as removed:
                return FlowRemoved(self.switch, removed)
            case messages.PortStatus() as status:
                return PortStatus(self.switch, status)
            case ReceivedError() as error:
                return ErrorReply(self.switch, error, heard.message.xid)
        if heard.kind is kinds.OFPT_BARRIER_REPLY:
            return BarrierReply(self.switch, heard.message.xid)
        reply = STATS_REPLIES.get(heard.kind)
        return None if reply is None else self._stats(heard, reply)

    def _stats(self, heard: Heard, reply: type) -> object | None:
        """What was asked about, once all parts of the answer have come."""
        xid, content = heard.message.xid, heard.content
        if isinstance(content, OpenFlowError):
            return None
        assert isinstance(content, tuple), "that is what such messages say"
        entries = self._entries.setdefault(xid, [])
        entries += content.stats if isinstance(content, Flows) else content
        if has_more(heard.message):
            return None
        event: object = reply(self.switch, tuple(self._entries.pop(xid)), xid)
        return event

    def _tell(self, event: object) -> None:
        if self.app is not None:
            self._try(self.app.tell, event)

    def _call_later(
        self, delay_ns: int, function: Callable[..., object], arguments: tuple[object, ...]
    ) -> None:
        self._scheduler.after(delay_ns, self._call, function, arguments)

    def _call(self, function: Callable[..., object], arguments: tuple[object, ...]) -> None:
        what = f"calls were asked for by the app of {self.label}"
        if self.is_open and self._may_go_on(what, "does each ask for the next one at once?"):
            assert self.app is not None, "only apps want to be called"
            self._try(self.app.call, function, *arguments)

    def _try(self, call: Callable[..., object], *arguments: object) -> None:
        try:
            call(*arguments)
        except AppError as error:
            self._failed(error)

    def _failed(self, error: AppError) -> None:
        self.n_errors += 1
        if error.what not in self.errors and len(self.errors) < _MOST_ERRORS:
            self.errors.append(error.what)
            self._tell_error(error)
