"""A controller in this process: connected to a bridge of a lab, in virtual time.

What one end says the other hears later in the same instant, in an event of its own. So a lab with
controllers runs the same way each time.
"""

from __future__ import annotations

from collections.abc import Callable

from vnet.base.errors import UsageError
from vnet.base.text import one_of
from vnet.controller.app import App, AppError
from vnet.controller.events import (
    ErrorReply,
    FlowRemoved,
    PacketIn,
    PortStatus,
    SwitchConnected,
    SwitchGone,
)
from vnet.controller.switch import Switch
from vnet.ovs.openflow import messages
from vnet.ovs.openflow.controller.connection import ControllerConnection
from vnet.ovs.openflow.controller.heard import Heard
from vnet.ovs.openflow.messages import PortReason
from vnet.ovs.openflow.version import OpenFlowVersion, version_named
from vnet.ovs.openflow.wire.errors import ReceivedError
from vnet.ovs.vswitchd.bridge import Bridge
from vnet.sim.scheduler import Scheduler

ALL_VERSIONS = tuple(OpenFlowVersion)

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
        versions: tuple[OpenFlowVersion, ...] = ALL_VERSIONS,
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
        self.is_open = True
        self._is_known = False
        self._instant_ns, self._n_at_once = 0, 0
        theirs = _common_versions(bridge, label, versions)
        self._connection = ControllerConnection(
            versions, self._to_switch, ready=self._ready, tell=self._heard
        )
        self.switch = Switch(
            *(label, self._connection, scheduler, self._call_later),
            openflow_full=lambda: bridge.ofproto.openflow_full,
        )
        self._name = f"{bridge.ofproto.name}<->vnet"
        bridge.control.attach(self._name, self.close)
        self._ofconn = bridge.connmgr.connect(
            self._to_controller, name=self._name, is_primary=True, versions=theirs
        )
        self._ofconn.start()
        self._connection.start()
        bridge.connmgr.settle()

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
        self.is_open = False
        self._ofconn.closed()
        self._bridge.control.detach(self._name)
        self._bridge.connmgr.settle()

    # -- between the ends

    def _to_switch(self, data: bytes) -> None:
        self._scheduler.after(0, self._switch_takes, data)

    def _switch_takes(self, data: bytes) -> None:
        if self.is_open:
            self._ofconn.take(data)
            self._switch_works()

    def _switch_works(self) -> None:
        if self.is_open and self._ofconn.run():
            self._scheduler.after(0, self._switch_works)

    def _to_controller(self, data: bytes) -> None:
        self._scheduler.after(0, self._controller_takes, data)

    def _controller_takes(self, data: bytes) -> None:
        what = f"messages came from {self.label}"
        if self.is_open and self._may_go_on(what, "does what the app sends come back?"):
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
        return None

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


def _common_versions(
    bridge: Bridge, label: str, versions: tuple[OpenFlowVersion, ...]
) -> tuple[OpenFlowVersion, ...]:
    """What the bridge speaks, if that is any of ``versions``."""
    theirs = tuple(map(version_named, bridge.config.protocols)) or ALL_VERSIONS
    if not set(theirs).intersection(versions):
        spoken = one_of(f"OpenFlow1{version - 1}" for version in theirs)
        raise UsageError(f"{label} speaks no such version of OpenFlow", f"it speaks {spoken}")
    return theirs
