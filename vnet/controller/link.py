"""A connection to a bridge in the same process, in virtual time.

What one end says the other hears later in the same instant, in an event of its own. So a lab with
controllers runs the same way each time.
"""

from __future__ import annotations

from collections.abc import Callable

from vnet.base.errors import UsageError
from vnet.base.text import one_of
from vnet.ovs.openflow.version import OpenFlowVersion, version_named
from vnet.ovs.vswitchd.bridge import Bridge
from vnet.sim.scheduler import Scheduler

Versions = tuple[OpenFlowVersion, ...]

ALL_VERSIONS: Versions = tuple(OpenFlowVersion)


class LocalLink:
    """``take`` hears what ``bridge`` says, from :meth:`start` until :meth:`close`.

    The bridge, which messages call ``label``, takes it for a controller if ``is_primary``, else for
    ovs-ofctl.

    Raises :class:`UsageError` where the bridge speaks none of ``versions``.
    """

    def __init__(
        self,
        bridge: Bridge,
        label: str,
        scheduler: Scheduler,
        take: Callable[[bytes], None],
        *,
        versions: Versions,
        is_primary: bool,
    ) -> None:
        self.is_open = True
        self.name = f"{bridge.ofproto.name}<->vnet"
        self._scheduler = scheduler
        self._take = take
        self._bridge = bridge
        theirs = _spoken_versions(bridge, label, versions)
        self._ofconn = bridge.connmgr.connect(
            self._to_client, name=self.name, is_primary=is_primary, versions=theirs
        )
        self.watchers = self._ofconn.watchers
        """Who is shown each message that comes or goes after the greetings."""

    def start(self) -> None:
        """Have the bridge greet."""
        self._ofconn.start()

    def send(self, data: bytes) -> None:
        """Say something to the bridge."""
        self._scheduler.after(0, self._switch_takes, data)

    def close(self) -> None:
        """The connection is no more."""
        self.is_open = False
        self._ofconn.closed()

    def settle(self) -> None:
        """What has changed is in force before the next frame."""
        self._bridge.connmgr.settle()

    def _switch_takes(self, data: bytes) -> None:
        if self.is_open:
            self._ofconn.take(data)
            self._switch_works()

    def _switch_works(self) -> None:
        if self.is_open and self._ofconn.run():
            self._scheduler.after(0, self._switch_works)

    def _to_client(self, data: bytes) -> None:
        self._scheduler.after(0, self._client_takes, data)

    def _client_takes(self, data: bytes) -> None:
        if self.is_open:
            self._take(data)


def _spoken_versions(bridge: Bridge, label: str, versions: Versions) -> Versions:
    """What the bridge speaks, if that is any of ``versions``."""
    theirs = tuple(map(version_named, bridge.config.protocols)) or ALL_VERSIONS
    if not set(theirs).intersection(versions):
        spoken = one_of(f"OpenFlow1{version - 1}" for version in theirs)
        raise UsageError(f"{label} speaks no such version of OpenFlow", f"it speaks {spoken}")
    return theirs
