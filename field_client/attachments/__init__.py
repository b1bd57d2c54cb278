"""Papers and portraits: attached, sealed beside the database, and sent."""
