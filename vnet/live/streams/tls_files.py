"""Which files a process takes its key, certificates and trust from.

Apart from what reads them, for most processes never do.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vnet.ovs.vswitchd.remote_config import SslConfig

DEFAULT_CIPHERS = "HIGH:!aNULL:!MD5"
DEFAULT_PROTOCOLS = "TLSv1,TLSv1.1,TLSv1.2"


class TlsFiles:
    """The files to use, as options or the database's SSL row name them; they may be changed."""

    __slots__ = (
        "bootstraps",
        "ca_cert",
        "certificate",
        "ciphers",
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

    def follow(self, row: SslConfig | None) -> None:
        """Use what an SSL row names instead of what was used before. A row that goes takes
        nothing with it."""
        if row is not None:
            self.private_key, self.certificate = row.private_key, row.certificate
            self.ca_cert, self.bootstraps = row.ca_cert, row.bootstrap_ca_cert

    @property
    def must_bootstrap(self) -> bool:
        """Whether the CA certificate is still to be learnt."""
        return self.bootstraps and self.ca_cert != "none" and not os.path.exists(self.ca_cert)
