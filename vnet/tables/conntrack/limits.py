"""How many connections there may be, in all and in each zone (``dpctl/ct-set-limits``)."""

from __future__ import annotations

from collections.abc import Iterator

DEFAULT_ZONE = -1
"""Stands for every zone that has no limit of its own."""


class ZoneLimit:
    """``count`` connections were made under this limit since it was set, and still stand."""

    __slots__ = ("count", "limit", "zone")

    def __init__(self, zone: int, limit: int) -> None:
        self.zone = zone
        self.limit = limit
        self.count = 0


class ZoneLimits:
    """Limits by zone.

    Connections that stood before a limit was set do not count. All zones that fall back to
    the default limit share its one count.
    """

    __slots__ = ("_limits",)

    def __init__(self) -> None:
        self._limits: dict[int, ZoneLimit] = {}

    def set(self, zone: int, limit: int) -> None:
        """Limit a zone, or with :data:`DEFAULT_ZONE` all others; changing keeps the count."""
        found = self._limits.get(zone)
        if found is None:
            self._limits[zone] = ZoneLimit(zone, limit)
        else:
            found.limit = limit

    def delete(self, zone: int) -> None:
        """Lift a zone's limit; harmless where there is none."""
        self._limits.pop(zone, None)

    def find(self, zone: int) -> ZoneLimit | None:
        """The limit that holds for ``zone``."""
        limits = self._limits
        if not limits:
            return None
        return limits.get(zone) or limits.get(DEFAULT_ZONE)

    def default(self) -> int:
        """The default limit; 0 stands for none."""
        found = self._limits.get(DEFAULT_ZONE)
        return 0 if found is None else found.limit

    def __iter__(self) -> Iterator[ZoneLimit]:
        """Limits of single zones, by zone."""
        for zone in sorted(self._limits):
            if zone != DEFAULT_ZONE:
                yield self._limits[zone]
