"""The groups of commands of `jemput-pusat`, one module each."""
