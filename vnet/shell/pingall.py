"""Every machine pings every other once, at the same virtual time.

With overlapping tenants an answer need not come from the machine that was meant: where more
than one has the address, or the asker itself does, the matrix says so.
"""

from __future__ import annotations

from collections import Counter

from vnet.base.errors import UsageError, VnetError
from vnet.base.units import NS_PER_S
from vnet.guest.apps.app import App
from vnet.guest.apps.ping import Ping
from vnet.lab.lab import Lab
from vnet.lab.step_apps import reachable_address
from vnet.shell.output import columns, plural

MOST_PINGS = 10_000
"""Beyond this the matrix is not for reading; name some of the machines."""

_PATIENCE_NS = 2 * NS_PER_S
_LOST, _SELF, _NO_ADDRESS, _DIAGONAL = "X", "self", "none", "-"
_FOOTNOTES = {
    _SELF: "self: the asker has that address too, and answered itself",
    _NO_ADDRESS: "none: the target has no address",
    "*": "*: several machines have that address, and any of them may have answered",
}


class PingAll:
    """One round among the machines ``names``."""

    def __init__(self, lab: Lab, names: list[str]) -> None:
        count = len(names) * (len(names) - 1)
        if count > MOST_PINGS:
            raise UsageError(
                f"pingall: {len(names)} machines make {count} pings", "name some of the machines"
            )
        self._lab = lab
        self._names = names
        self._apps: dict[tuple[str, str], Ping] = {}
        self._cells: dict[tuple[str, str], str] = {}
        self._targets: dict[tuple[str, str], bytes] = {}
        self._running = 0

    def run(self) -> str:
        """Ping, wait for all, and draw the matrix."""
        self._prepare()
        scheduler = self._lab.scheduler
        self._running = len(self._apps)
        for app in self._apps.values():
            app.on_done = self._ended
            app.start()
        try:
            while self._running and scheduler.next_event_ns is not None:
                scheduler.run()
        finally:
            # Interrupted, or a lab in which nothing happens any more.
            for app in self._apps.values():
                app.on_done = None
                app.finish()
        return self._matrix()

    def _prepare(self) -> None:
        network = self._lab.network
        for source in self._names:
            for target in self._names:
                machine, other = network.machine(source), network.machine(target)
                assert machine is not None
                assert other is not None
                pair = source, target
                if source == target:
                    self._cells[pair] = _DIAGONAL
                    continue
                try:
                    ip = reachable_address(other, machine)
                except VnetError:
                    self._cells[pair] = _NO_ADDRESS
                    continue
                if machine.namespace.owns(ip):
                    self._cells[pair] = _SELF
                    continue
                self._targets[pair] = ip
                self._apps[pair] = machine.make_ping(ip, count=1, timeout_ns=_PATIENCE_NS)

    def _ended(self, _app: App) -> None:
        self._running -= 1
        if not self._running:
            self._lab.scheduler.stop()

    def _matrix(self) -> str:
        owners: Counter[bytes] = Counter(
            ip for machine in self._lab.network.machines() for ip in set(machine.addresses)
        )
        answered = 0
        for pair, app in self._apps.items():
            if app.result.rtts_ns:
                answered += 1
                shared = "*" if owners[self._targets[pair]] > 1 else ""
                self._cells[pair] = f"{app.result.rtts_ns[0] / 1e6:.3f}{shared}"
            else:
                self._cells[pair] = _LOST
        rows = [
            (source, *(self._cells[source, target] for target in self._names))
            for source in self._names
        ]
        table = columns(("ms", *self._names), rows, numbers=list(range(1, len(self._names) + 1)))
        total = len(self._apps)
        figures = f"{plural(total, 'ping')}, {answered} answered, {total - answered} lost"
        used = " ".join(self._cells.values())
        notes = [note for mark, note in _FOOTNOTES.items() if mark in used]
        return "\n".join([table, figures, *notes])
