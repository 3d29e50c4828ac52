"""Bridges and databases behind TLS, and the real clients that come to them with certificates."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.live.processes import PATIENCE_S
from tests.live.streams.test_tls import make_authority

Try = Callable[..., "subprocess.CompletedProcess[str]"]
_WAITING = ("-t", str(PATIENCE_S))
"""Whoever is turned away is so at once."""


class Certificates:
    """Files of two authorities in ``folder``: ``good``, and ``foreign``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for name in ("good", "foreign"):
            make_authority(folder, name)

    def row(self, name: str = "good") -> list[str]:
        """What ``set-ssl`` takes."""
        return [str(self._folder / file) for file in (f"{name}.key", f"{name}.pem", "good-ca.pem")]

    def options(self, name: str = "good") -> list[str]:
        """The same as any program takes it."""
        words = ("--private-key", "--certificate", "--ca-cert")
        return [f"{word}={path}" for word, path in zip(words, self.row(name), strict=True)]

    def is_bridge_at(self, port: int, do: Try) -> bool:
        """Whether a bridge answers ovs-ofctl there."""
        done = do("ovs-ofctl", *self.options(), *_WAITING, "show", f"ssl:127.0.0.1:{port}")
        return done.stdout.startswith("OFPT_FEATURES_REPLY ")

    def is_database_at(self, port: int, do: Try) -> bool:
        """Whether a server answers ovsdb-client there."""
        done = do("ovsdb-client", *self.options(), *_WAITING, "list-dbs", f"ssl:127.0.0.1:{port}")
        return done.stdout == "Open_vSwitch\n_Server\n"
