"""How records are read over REST: queries, their pages, values in JSON, what changed in a window of time."""
