"""Central's pages: what staff see in the browser. A page decides nothing; the rooms do."""
