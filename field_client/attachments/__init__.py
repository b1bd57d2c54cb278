"""Papers and portraits: from a file on the desk to a small legible copy that travels."""
