"""The people's door: pages on 127.0.0.1 over the same desk as the command line."""
