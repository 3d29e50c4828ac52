"""The database that an Open vSwitch is configured by (RFC 7047), as Open vSwitch 3.1 has it.

Everything here is given its messages, files' bytes and time; sockets and files are elsewhere.
"""
