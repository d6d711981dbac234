"""Plain frozen values that the rooms hand to each other; no I/O, no clock."""
