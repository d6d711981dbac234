"""Routes, headers and bodies; every rule is in lht.simulator.org."""
