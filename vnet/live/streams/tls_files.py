"""Which files a process takes its key, certificates and trust from.

Apart from what reads them, for most processes never do.
"""

from __future__ import annotations

import os
from collections.abc import Callable

DEFAULT_CIPHERS = "HIGH:!aNULL:!MD5"
DEFAULT_PROTOCOLS = "TLSv1,TLSv1.1,TLSv1.2"


class TlsFiles:
    """The files to use, as options or the database's SSL row name them; they may be changed."""

    __slots__ = (
        "bootstraps",
        "ca_cert",
        "certificate",
        "ciphers",
        "look_again",
        "peer_ca_certs",
        "private_key",
        "protocols",
    )

    def __init__(self, private_key: str = "", certificate: str = "", ca_cert: str = "") -> None:
        self.private_key = private_key
        self.certificate = certificate
        self.ca_cert = ca_cert
        """``none``: whoever comes is let in."""
        self.peer_ca_certs = ""
        """Shown to peers besides, so that they can learn whom to trust."""
        self.bootstraps = False
        """Trust the first peer's CA certificate for ever after, where there is none yet."""
        self.protocols = DEFAULT_PROTOCOLS
        self.ciphers = DEFAULT_CIPHERS
        self.look_again: Callable[[], None] | None = None
        """Called before the files are used, by whoever is to find them changed."""

    @property
    def must_bootstrap(self) -> bool:
        """Whether the CA certificate is still to be learnt."""
        return self.bootstraps and self.ca_cert != "none" and not os.path.exists(self.ca_cert)
