"""What a daemon's log says of bonds."""

from __future__ import annotations

from vnet.base.units import NS_PER_MS
from vnet.ovs.vlog.vlog import SILENT, Vlog

_PER_MINUTE, _BURST = 5, 20


class BondLog:
    """The module ``bond``. All bonds together may say so much and no more of links, and of which
    of them is the active one."""

    def __init__(self, vlog: Vlog = SILENT) -> None:
        self._log = vlog.module("bond")
        self._links = self._log.limit(_PER_MINUTE, _BURST)
        self._active = self._log.limit(_PER_MINUTE, _BURST)

    def enabled(self, member: str, is_enabled: bool) -> None:
        """A link may be used from now on, or not."""
        self._log.info(f"member {member}: {_ability(is_enabled)}")

    def link(self, member: str, is_up: bool, is_enabled: bool, delay_ns: int) -> None:
        """A link has come up or gone down, which shows after a delay unless it is undone."""
        state = "up" if is_up else "down"
        self._log.info(f"member {member}: link state {state}", self._links)
        if is_up == is_enabled:
            self._log.info(f"member {member}: will not be {_ability(not is_up)}", self._links)
        elif delay_ns:
            self._log.info(
                f"member {member}: will be {_ability(is_up)} if it stays {state} for "
                f"{delay_ns // NS_PER_MS} ms",
                self._links,
            )

    def made_active(self, bond: str, member: str) -> None:
        """Somebody has chosen the active link."""
        self._log.info(f"bond {bond}: active member is now {member}")

    def active(self, bond: str, member: str, skipped_ns: int | None) -> None:
        """The bond has chosen it; ``skipped_ns`` where it would have been enabled only so late."""
        skipped = ""
        if skipped_ns is not None:
            skipped = (
                f", skipping remaining {skipped_ns // NS_PER_MS} ms updelay (since no member was "
                "enabled)"
            )
        self._log.info(f"bond {bond}: active member is now {member}{skipped}", self._active)

    def none_active(self, bond: str) -> None:
        """There is none left."""
        self._log.info(f"bond {bond}: all members disabled", self._active)


def _ability(is_enabled: bool) -> str:
    return "enabled" if is_enabled else "disabled"
