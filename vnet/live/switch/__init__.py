"""A whole Open vSwitch in one process: database and switch, and all that clients find of them in
their run directory."""
