"""Central's memory: tables, the engine under them, and the one door through which they are used."""
