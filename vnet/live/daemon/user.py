"""``--user=NAME[:GROUP]``: root starts a daemon that then is somebody else."""

from __future__ import annotations

import grp
import os
import pwd

from vnet.live.daemon.errors import FatalError


class User:
    """Who the daemon is to be. Raises :class:`FatalError` with Open vSwitch's sentences, which
    begin with the pidfile's name, where there is one."""

    def __init__(self, spec: str, pidfile: str | None) -> None:
        self._where = pidfile or "(null)"
        if os.geteuid() or os.getuid():
            raise self._fatal("only root can use --user option")
        name, _, group = spec.partition(":")
        name, group = name.strip(), group.lstrip()
        try:
            entry = pwd.getpwnam(name) if name else pwd.getpwuid(os.getuid())
        except KeyError:
            raise self._fatal(f"user {name} not found, aborting.") from None
        self.name, self.uid, self.gid = entry.pw_name, entry.pw_uid, entry.pw_gid
        if group:
            self._take_group(spec, group)

    def _take_group(self, spec: str, name: str) -> None:
        try:
            entry = grp.getgrnam(name)
        except KeyError:
            raise self._fatal(f"group {name} not found, aborting.") from None
        if entry.gr_gid != self.gid and self.name not in entry.gr_mem:
            raise self._fatal(
                f"Invalid --user option {spec} (user {self.name} is not in group {name}), aborting."
            )
        self.gid = entry.gr_gid

    def become(self) -> None:
        """Be that user from now on, for good."""
        os.initgroups(self.name, self.gid)
        os.setresgid(self.gid, self.gid, self.gid)
        os.setresuid(self.uid, self.uid, self.uid)

    def _fatal(self, text: str) -> FatalError:
        return FatalError(f"{self._where}: {text}", module="daemon_unix")
