"""What ends a connection: the peer does not speak JSON-RPC, or says more than it may."""

from __future__ import annotations


class JsonRpcError(Exception):
    """A sentence for the log. The connection is of no use any more; nobody else is concerned."""
