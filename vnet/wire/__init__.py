"""Floor 1: the bytes of each header, one file a protocol.

Every file has the same skeleton: the header drawn in its docstring with the RFC,
named constants, a ``parse`` that returns a named tuple or None where the bytes are
not a valid header, and builders that return ``bytes``. Parsing never raises on bad
input: a bad frame is somebody's to count, not somebody's to catch. Beside the headers
stand the capture files, and ``filter``, the language in which frames are picked from them.
"""
