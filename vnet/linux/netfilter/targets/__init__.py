"""What rules do to packets (``-j``): one idea a file; ``table`` has all of them."""
