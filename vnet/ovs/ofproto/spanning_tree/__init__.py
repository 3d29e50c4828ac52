"""Spanning trees of a bridge: the machines of :mod:`vnet.l2`, with ports, frames and time."""
