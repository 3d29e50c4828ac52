"""How ovs-appctl(8) talks to a daemon: commands, and the JSON-RPC that carries them.

Sans-I/O: a :class:`~vnet.ovs.unixctl.connection.UnixctlConnection` is given bytes and hands out
bytes. Whoever owns a daemon puts its commands into a :class:`~vnet.ovs.unixctl.table.CommandTable`.
"""
