"""How records change: bodies read and checked, rows, deletion and return, merges, open transactions."""
