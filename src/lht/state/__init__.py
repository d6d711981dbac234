"""LHT's own tables, written through the warehouse port."""
