"""The controllers in a lab's own process: who controls which bridge, by what app; who looks on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from vnet.base.errors import UsageError
from vnet.controller.app import App, AppError
from vnet.controller.link import ALL_VERSIONS
from vnet.controller.local import LocalController
from vnet.controller.monitor import LocalMonitor
from vnet.controller.shipped import resolve_app
from vnet.lab.ovs_commands import BridgeCommands
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.protocols import P_ANY
from vnet.ovs.ofproto.names import names_of
from vnet.ovs.openflow.controller.heard import Heard
from vnet.ovs.openflow.version import OpenFlowVersion, versions_listed
from vnet.ovs.vswitchd.bridge import Bridge
from vnet.ovs.vswitchd.ofctl.watching import read_monitor
from vnet.sim.scheduler import Scheduler


class Controllers:
    """Those of one lab. Bridges go by their labels: ``sw1``, ``h1:br0``.

    An app that controls several bridges is one app: what it learns of one it knows of all.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._by_label: dict[str, LocalController] = {}

    def all(self) -> list[LocalController]:
        """The controllers, in the order in which they came."""
        return [controller for controller in self._by_label.values() if controller.is_open]

    def of(self, label: str) -> LocalController | None:
        """The controller of a bridge, if it has one."""
        found = self._by_label.get(label)
        return found if found is not None and found.is_open else None

    def attach(
        self,
        label: str,
        commands: BridgeCommands,
        app: str | Path | None = None,
        *,
        versions: str | None = None,
        tell_error: Callable[[AppError], None],
    ) -> LocalController:
        """Become the controller of a bridge, by an app's file or ``@name``; None for no app.

        ``versions`` are as ovs-ofctl's -O has them: ``OpenFlow10,OpenFlow13``. Raises
        :class:`UsageError` for a bridge that has a controller here, and for bad apps.
        """
        if self.of(label) is not None:
            raise UsageError(f"{label} has a controller already")
        bridge = _running(label, commands)
        runs = None if app is None else self._app(resolve_app(app))
        made = LocalController(
            *(bridge, label, self._scheduler, runs),
            versions=ALL_VERSIONS if versions is None else _versions(versions),
            tell_error=tell_error,
        )
        self._by_label.pop(label, None)
        self._by_label[label] = made
        return made

    def monitor(
        self,
        label: str,
        commands: BridgeCommands,
        words: Sequence[str] = (),
        *,
        allowed: int = P_ANY,
        tell: Callable[[Heard], None],
    ) -> LocalMonitor:
        """Look on as ``ovs-ofctl monitor`` does that is given ``words``; ``allowed`` are the
        protocols of its ``-O``, 1.0 where nothing is said.

        Raises OvsTextError for bad words, and :class:`UsageError` for a bridge that was deleted or
        speaks no such version.
        """
        bridge = _running(label, commands)
        wanted = read_monitor(words, names_of(bridge.ofproto), allowed)
        return LocalMonitor(bridge, label, self._scheduler, wanted, tell)

    def _app(self, path: Path) -> App:
        for controller in self.all():
            app = controller.app
            if app is not None and app.path.resolve() == path.resolve():
                return app
        return App(path)


def _running(label: str, commands: BridgeCommands) -> Bridge:
    bridge = commands.machine.vswitchd.running.get(commands.name)
    if bridge is None:
        raise UsageError(f"the bridge {label} was deleted")
    return bridge


def _versions(text: str) -> tuple[OpenFlowVersion, ...]:
    try:
        return versions_listed(text)
    except OvsTextError as error:
        raise UsageError(error.what, "OpenFlow10 to OpenFlow15") from None
