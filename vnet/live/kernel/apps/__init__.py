"""Programs over the kernel's own sockets, with the figures that those of guests report."""
