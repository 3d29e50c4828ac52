"""Daemons of a machine: what serves a network over the sockets of a namespace."""
