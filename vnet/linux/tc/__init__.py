"""tc(8): queueing disciplines, classes and filters of a machine's devices, as iproute2 has them."""
