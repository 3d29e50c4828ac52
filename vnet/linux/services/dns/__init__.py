"""DNS messages, as whoever asks writes and reads them."""
