"""The central house: the civil registry office, where everything arrives and people decide."""
