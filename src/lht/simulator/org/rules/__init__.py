"""What an org's own set-up refuses: validation and duplicate rules, record types, owners, rights, locks."""
