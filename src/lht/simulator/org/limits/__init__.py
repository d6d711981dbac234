"""What the org allows, and what of it is used."""
