"""The bundles of one connection: requests that wait to be carried out together (section 6.9)."""

from __future__ import annotations

from collections.abc import Callable

from vnet.base.units import NS_PER_S
from vnet.ovs.ofproto.requests import Request
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import BundleFlags
from vnet.ovs.openflow.wire.message import Message
from vnet.sim.scheduler import Scheduler, Timer

_MOST_BUNDLES = 1000
_MOST_BYTES = 64 << 20
"""How long the messages may be that wait in all bundles of one connection. Open vSwitch takes any
number of bundles and messages; this is room for several hundred thousand flows."""


class Bundle:
    """``opening`` is the message that it began with; ``requests`` are those that wait, each with
    the message that brought it."""

    def __init__(self, bundle_id: int, flags: BundleFlags, opening: Message, now_ns: int) -> None:
        self.bundle_id = bundle_id
        self.flags = flags
        self.opening = opening
        self.is_closed = False
        self.used_ns = now_ns
        self.n_bytes = 0
        self.requests: list[tuple[Request, Message]] = []


class Bundles:
    """``refuse`` is told of bundles that are given up, by the messages that they began with;
    those are given up that nobody adds to for ``patience_ns``.

    All methods raise :class:`OpenFlowError`, and the bundle that is meant is gone then.
    """

    def __init__(
        self, scheduler: Scheduler, refuse: Callable[[Message, OpenFlowError], None]
    ) -> None:
        self.patience_ns = 0
        self._scheduler = scheduler
        self._refuse = refuse
        self._timer = Timer(scheduler, self._look)
        self._bundles: dict[int, Bundle] = {}
        self._n_bytes = 0

    def open(self, bundle_id: int, flags: BundleFlags, message: Message) -> None:
        """Begin one."""
        if bundle_id in self._bundles:
            self._forget(self._bundles[bundle_id])
            raise OpenFlowError("OFPBFC_BAD_ID")
        self._begin(bundle_id, flags, message)

    def _begin(self, bundle_id: int, flags: BundleFlags, message: Message) -> Bundle:
        if len(self._bundles) >= _MOST_BUNDLES:
            raise OpenFlowError("OFPBFC_OUT_OF_BUNDLES")
        bundle = Bundle(bundle_id, flags, message, self._scheduler.now_ns)
        self._bundles[bundle_id] = bundle
        if self._timer.due_ns is None:
            self._timer.arm(NS_PER_S)
        return bundle

    def add(self, bundle_id: int, flags: BundleFlags, request: Request, message: Message) -> None:
        """One more request; the first begins the bundle if nothing else has."""
        bundle = self._bundles.get(bundle_id)
        if bundle is None:
            bundle = self._begin(bundle_id, flags, message)
        else:
            self._check(bundle, flags)
        if self._n_bytes + len(message.raw) > _MOST_BYTES:
            self._forget(bundle)
            raise OpenFlowError("OFPBFC_MSG_TOO_MANY")
        self._n_bytes += len(message.raw)
        bundle.n_bytes += len(message.raw)
        bundle.used_ns = self._scheduler.now_ns
        bundle.requests.append((request, message))

    def close_one(self, bundle_id: int, flags: BundleFlags) -> None:
        """Nothing more is to be added to it."""
        bundle = self._known(bundle_id)
        self._check(bundle, flags)
        bundle.used_ns = self._scheduler.now_ns
        bundle.is_closed = True

    def _check(self, bundle: Bundle, flags: BundleFlags) -> None:
        error = ""
        if bundle.is_closed:
            error = "OFPBFC_BUNDLE_CLOSED"
        elif flags != bundle.flags:
            error = "OFPBFC_BAD_FLAGS"
        if error:
            self._forget(bundle)
            raise OpenFlowError(error)

    def take(self, bundle_id: int, flags: BundleFlags) -> Bundle:
        """The bundle, to be carried out; it is no more."""
        bundle = self._known(bundle_id)
        self._forget(bundle)
        if bundle.flags != flags:
            raise OpenFlowError("OFPBFC_BAD_FLAGS")
        return bundle

    def discard(self, bundle_id: int) -> None:
        """Forget it."""
        self._forget(self._known(bundle_id))

    def _forget(self, bundle: Bundle) -> None:
        del self._bundles[bundle.bundle_id]
        self._n_bytes -= bundle.n_bytes

    def _known(self, bundle_id: int) -> Bundle:
        bundle = self._bundles.get(bundle_id)
        if bundle is None:
            raise OpenFlowError("OFPBFC_BAD_ID")
        return bundle

    def close(self) -> None:
        """The connection is no more."""
        self._timer.cancel()
        self._bundles.clear()

    def _look(self) -> None:
        """Give up what has waited for too long; once a second is often enough."""
        due_ns = self._scheduler.now_ns - self.patience_ns
        for bundle in [known for known in self._bundles.values() if known.used_ns <= due_ns]:
            self._forget(bundle)
            self._refuse(bundle.opening, OpenFlowError("OFPBFC_TIMEOUT"))
        if self._bundles:
            self._timer.arm(NS_PER_S)
