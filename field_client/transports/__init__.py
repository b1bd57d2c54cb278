"""Roads: what carries sealed bytes between the courier and central."""
