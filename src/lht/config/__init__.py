"""connections.toml, sfdc.json, lht.toml and the environment; nothing else reads them."""
