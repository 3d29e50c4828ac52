"""What frames wait in on their way out of a device: queueing disciplines, as tc(8) has them."""
