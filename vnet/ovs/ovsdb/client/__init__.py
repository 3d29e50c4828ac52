"""A client's end of the database protocol (RFC 7047): what another process has, at hand."""
