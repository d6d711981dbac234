"""Operations, one function per verb, and the wiring of rooms; what CLI and Python API call."""
