"""Steps of a file and what they are expected to see, from their spelling to frozen steps."""
