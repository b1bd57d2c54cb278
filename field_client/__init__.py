"""The field house: a laptop in a van or a village office, without signal for days."""
