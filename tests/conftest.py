from __future__ import annotations

from hypothesis import settings

# How long an example takes says more of the machine's other work than of the code: benchmarks measure time.
settings.register_profile("lht", deadline=None)
settings.load_profile("lht")
