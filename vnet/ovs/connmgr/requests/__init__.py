"""What is asked of a bridge, and what comes of it: a file for each kind of thing."""
