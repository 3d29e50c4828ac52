"""A database server without a socket: messages in, messages out (RFC 7047 section 4).

``server`` holds the databases and what sessions share; ``session`` is one client. Nothing here
waits, or knows the time but by the clock it was given.
"""
