"""Makes the running bridges match the wanted configuration."""
