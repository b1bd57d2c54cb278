"""Whether two requests are about the same person: pure functions, no memory and no clock."""
