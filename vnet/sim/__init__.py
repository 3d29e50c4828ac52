"""Floor 2: virtual time, the frame that travels in it, and the links it crosses."""
