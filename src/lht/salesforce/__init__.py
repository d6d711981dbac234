"""The guide's Python API: thin functions over lht.app, and nothing else."""
