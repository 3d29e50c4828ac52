"""What a daemon of Open vSwitch says of itself: modules, levels, patterns, rates.

Where lines go is given from outside (:meth:`~vnet.ovs.vlog.vlog.Vlog.set_sink`); without any
place for them nothing is written, and nothing is worked out either.
"""
