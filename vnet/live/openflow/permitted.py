"""Which sockets of this machine the rows of a database may have a bridge use.

Whoever may write the database may be on another machine, and is not to reach sockets by it that are
no business of theirs, nor to overwrite files.
"""

from __future__ import annotations

import re

from vnet.ovs.vlog.rate_limit import RateLimit
from vnet.ovs.vlog.vlog import LogModule

_SLASHES = re.compile("/+")


class Permits:
    """For the bridges of a daemon whose sockets are in ``directory``."""

    def __init__(self, directory: str, log: LogModule) -> None:
        self._directory = directory
        self._log = log
        self._limit: RateLimit = log.limit(1, 5)

    def allows(self, bridge: str, target: str) -> bool:
        """Whether a bridge may use a target; if not, the log says so."""
        if target.startswith("punix:"):
            return self._allows_waiting(bridge, target)
        if target.startswith("unix:"):
            return self._allows_going(bridge, target)
        return True

    def _allows_waiting(self, bridge: str, target: str) -> bool:
        permitted = f"punix:{self._directory}/{bridge}."
        if _begins(target, permitted) and "/" not in target[len(permitted) :]:
            return True
        self._log.err(
            f'bridge {bridge}: Not adding Unix domain socket controller "{target}" due to '
            "possibility of overwriting local files. Instead, specify path in permitted format "
            f'"{permitted}*" or {self._instead(bridge)}',
            self._limit,
        )
        return False

    def _allows_going(self, bridge: str, target: str) -> bool:
        permitted = f"unix:{self._directory}/"
        if "/" not in target or _begins(target, permitted):
            return True
        self._log.err(
            f'bridge {bridge}: Not connecting to socket controller "{target}" due to possibility '
            "for remote exploit.  Instead, specify socket in permitted directory "
            f'"{permitted}" or {self._instead(bridge)}',
            self._limit,
        )
        return False

    def _instead(self, bridge: str) -> str:
        return (
            f'connect to "unix:{self._directory}/{bridge}.mgmt" (which is always available '
            "without special configuration)."
        )


def _begins(target: str, beginning: str) -> bool:
    """Several slashes are as good as one. What climbs out of a directory again is not in it."""
    return _SLASHES.sub("/", target).startswith(beginning) and "/../" not in target
