"""Durations on the command line."""

from __future__ import annotations

import click

from vnet.base.units import parse_duration_ns


def duration(_context: click.Context, _parameter: click.Parameter, text: str | None) -> int | None:
    """``2s`` or ``150ms`` on the command line, nanoseconds inside."""
    try:
        return None if text is None else parse_duration_ns(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
