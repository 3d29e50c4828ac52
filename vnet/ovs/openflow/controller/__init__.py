"""A controller's end of an OpenFlow connection, without a socket."""
