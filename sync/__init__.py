"""The protocol between field and office, without socket, clock, disk or randomness."""
