"""What rules ask of packets (``-m``): one idea a file; ``table`` has all of them."""
