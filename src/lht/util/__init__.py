"""The guide's Python API for type mappings; the name is a promise, no other code lives here."""
