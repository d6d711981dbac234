"""Salesforce's rules: validation, ids, stamps, the recycle bin, jobs, limits."""
