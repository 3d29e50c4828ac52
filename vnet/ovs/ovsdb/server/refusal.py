"""Errors that are a plain sentence, not an object."""

from __future__ import annotations


class RefusedError(Exception):
    """A request is refused; ``str()`` is what the client is told."""
