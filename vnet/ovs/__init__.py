"""Open vSwitch: a bridge that treats every frame as the real one does.

The rooms are those of Open vSwitch itself, from the frame upwards. ``flow`` says what a frame
looks like (fields, keys, masks) and ``datapath`` forwards by exact keys and masks, with no
intelligence of its own. ``dpif`` is the one door between it and ``ofproto``, which decides:
OpenFlow tables, translation, what to cache. ``openflow`` holds the language of flows and
actions, and ``vswitchd`` makes the running bridges match a wanted configuration.
"""
