"""SOQL text to tree to SQL, each step printable alone."""
