"""Text to values with positions, and every problem told at its line."""
