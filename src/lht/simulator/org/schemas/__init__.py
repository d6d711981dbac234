"""What the org's objects are: their fields and flags, how describe tells them, and how they are added and altered."""
