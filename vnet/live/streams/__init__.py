"""Byte streams between processes, named as Open vSwitch names them: ``unix:``, ``tcp:``, ``ssl:``.

``listen`` waits for others (``punix:``, ``ptcp:``, ``pssl:``), ``Reconnecting`` goes to them and
comes back when the connection breaks. All of it runs on one :class:`~vnet.live.clock.WallClock`.
"""
