"""Floor 4: what the Linux kernel does with a frame, in bytes."""
