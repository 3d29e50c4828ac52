"""Other servers that this one follows: as a backup of all it has, or database by database."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vnet.base.units import NS_PER_S
from vnet.live.ovsdb.excluded import Excluded
from vnet.ovs.ovsdb.errors import OvsdbError
from vnet.ovs.ovsdb.json_text import Json

if TYPE_CHECKING:
    # Few servers follow others, and all want to start soon: most of this is imported when needed.
    from vnet.live.ovsdb.ovsdb_server import OvsdbServer
    from vnet.live.ovsdb.relay import Relay
    from vnet.live.ovsdb.replication import Replication
    from vnet.live.ovsdb.upstream import Upstream

DEFAULT_PROBE_INTERVAL_MS = 60_000
_TURN_NS = 2 * NS_PER_S


class Following:
    """What ``--sync-from``, ``--active`` and ``relay:`` have begun, and ovs-appctl changes."""

    def __init__(self, owner: OvsdbServer) -> None:
        self.target = ""
        """The active server, whether or not it is followed."""
        self.excluded = Excluded()
        self.probe_interval_ms = DEFAULT_PROBE_INTERVAL_MS
        self.replication: Replication | None = None
        self._owner = owner
        self._relays: dict[str, Relay] = {}
        self._relay_names: dict[str, str] = {}
        self._turn = 0
        self._has_turns = False

    # -- backup

    @property
    def is_backup(self) -> bool:
        """Whether the active server is followed."""
        return self.replication is not None

    def connect(self) -> None:
        """Follow the active server from now on, or anew. Raises OSError where that is none."""
        from vnet.live.ovsdb.replication import Replication

        self.disconnect()
        owner = self._owner
        self.replication = Replication(
            self.target,
            self.excluded,
            owner.databases,
            owner.server.uuid,
            self.disconnect,
            self._make_upstream,
            owner.vlog,
        )
        self.replication.upstream.set_probe_interval(self.probe_interval_ms)
        owner.server.is_read_only = True

    def disconnect(self) -> None:
        """Follow it no more: this server is the active one."""
        self._owner.server.is_read_only = False
        if self.replication is not None:
            self.replication.close()
            self.replication = None

    def set_excluded(self, text: str) -> None:
        """Copy all tables but these from now on."""
        self.excluded = Excluded(text)
        if self.is_backup:
            self.connect()

    def set_probe_interval(self, interval_ms: int) -> None:
        """Ask the active server for a sign of life after so long a silence."""
        self.probe_interval_ms = interval_ms
        if self.replication is not None:
            self.replication.upstream.set_probe_interval(interval_ms)

    def databases_changed(self) -> None:
        """There are other databases to be copied now."""
        if self.is_backup:
            self.connect()

    # -- relays

    def add_relay(self, text: str) -> None:
        """Serve ``relay:DB:REMOTE,...``. Raises :class:`OvsdbError`."""
        _, name, targets = (*text.split(":", 2), "", "")[:3]
        if not targets:
            raise OvsdbError("ovsdb error", f"{text}: invalid syntax")
        from vnet.live.ovsdb.relay import Relay

        owner = self._owner
        self._relays[name] = Relay(
            *(owner.clock, owner.server, name, targets.split(",")),
            *(self._make_upstream, owner.new_uuid, owner.vlog),
        )
        self._relay_names[name] = text
        if "," in targets and not self._has_turns:
            self._has_turns = True
            owner.clock.after(_TURN_NS, self._take_turn)

    @property
    def relay_names(self) -> list[str]:
        """The databases that are other servers', as they were given."""
        return list(self._relay_names.values())

    def _take_turn(self) -> None:
        self._turn += 1
        for relay in self._relays.values():
            relay.try_next(self._turn)
        self._owner.clock.after(_TURN_NS, self._take_turn)

    # -- the rest

    def database_removed(self, name: str) -> None:
        """A database is not served any more."""
        relay = self._relays.pop(name, None)
        self._relay_names.pop(name, None)
        if relay is not None:
            relay.close()
        self.databases_changed()

    def close(self) -> None:
        """Follow nobody."""
        if self.replication is not None:
            self.replication.close()
            self.replication = None
        for relay in self._relays.values():
            relay.close()
        self._relays.clear()

    def _make_upstream(
        self,
        target: str,
        begin: Callable[[], None],
        notified: Callable[[str, list[Json]], None],
        lost: Callable[[], None],
    ) -> Upstream:
        from vnet.live.ovsdb.upstream import Upstream

        owner = self._owner
        return Upstream(
            *(owner.clock, target, begin, notified, lost),
            vlog=owner.vlog,
            tls=owner.tls,
            directory=owner.directory,
        )
