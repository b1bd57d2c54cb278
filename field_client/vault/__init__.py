"""The field's memory: keys, the encrypted database, and everything a laptop knows."""
