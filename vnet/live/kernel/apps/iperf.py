"""iperf3(1), client and server, the programs themselves."""

from __future__ import annotations

import json
import subprocess
from functools import partial
from typing import Any

from vnet.base.ids import ip_text
from vnet.base.units import NS_PER_MS, NS_PER_S
from vnet.guest.apps.app import App
from vnet.guest.services import Client
from vnet.live.kernel import namespaces
from vnet.live.kernel.apps.program import ENVIRONMENT, LiveProgram
from vnet.live.kernel.machine import LiveMachine
from vnet.live.kernel.programs import find_program
from vnet.topology.scenario.stream_steps import IperfStep

_LOOK_EVERY_NS = 20 * NS_PER_MS
_TRIES = 1000


class LiveIperfServer(App):
    """``iperf3 -s`` for one test, after which it ends by itself."""

    def __init__(self, machine: LiveMachine, port: int) -> None:
        super().__init__(machine.clock)
        self._machine = machine
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with namespaces.inside(self._machine.namespace):
            self._process = subprocess.Popen(
                [find_program("iperf3"), "-s", "-1", "-p", str(self._port)],
                env=ENVIRONMENT | self._machine.mark,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

    def seen(self) -> dict[str, Any]:
        return {}

    def close(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()


class LiveIperf(LiveProgram):
    """A test from a machine to ``target``, for which each of ``owners`` runs a server."""

    def __init__(
        self,
        machine: LiveMachine,
        target: bytes,
        step: IperfStep,
        owners: list[LiveMachine],
        served_port: int,
    ) -> None:
        port = ["-p", str(step.port)]
        words = ["iperf3", "-J", "-c", ip_text(target), *port, "-P", str(step.parallel)]
        words += ["-R"] if step.reverse else []
        if step.size_bytes is None:
            words += ["-t", f"{step.duration_ns / NS_PER_S:g}"]
        else:
            words += ["-n", str(step.size_bytes)]
        super().__init__(machine, words)
        self._port = served_port
        self._owners = owners
        self._title = step.title
        self._servers: list[LiveIperfServer] = []

    def start(self) -> None:
        for owner in self._owners:
            # None is shared: each is there for one test.
            owner.services.make_room(self._port)
            server = owner.services.serve(
                LiveIperfServer,
                self._port,
                partial(LiveIperfServer, owner, self._port),
                Client(self, self._title),
            )
            self._servers.append(server)
        self._begin(_TRIES)

    def close(self) -> None:
        super().close()
        for server in self._servers:
            server.finish()

    def _begin(self, tries: int) -> None:
        """Start the client once the servers listen."""
        if self.done:
            return
        if tries == 0 or all(owner.listens(self._port) for owner in self._owners):
            super().start()
        else:
            self.scheduler.after(_LOOK_EVERY_NS, self._begin, tries - 1)

    def seen(self) -> dict[str, Any]:
        told = self._told()
        end = told.get("end", {})
        sent, received = end.get("sum_sent", {}), end.get("sum_received", {})
        seen: dict[str, Any] = {
            "sent_bytes": sent.get("bytes", 0),
            "received_bytes": received.get("bytes", 0),
            "errors": len(self.remarks()),
        }
        if "retransmits" in sent:
            seen["retransmits"] = sent["retransmits"]
        if received.get("seconds"):
            seen["goodput_mbit"] = round(received["bits_per_second"] / 1e6, 3)
        return seen

    def remarks(self) -> list[str]:
        told = self._told()
        return [f"iperf3: {told['error']}"] if "error" in told else []

    def _told(self) -> dict[str, Any]:
        """The document that it prints at its end."""
        if not self.done:
            return {}
        try:
            found = json.loads(self.text)
        except ValueError:
            return {"error": self.text.strip() or "error - it has said nothing"}
        return found if isinstance(found, dict) else {}
