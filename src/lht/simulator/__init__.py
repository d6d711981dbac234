"""A local Salesforce org. It shares nothing with the other rooms: they meet in HTTP bytes only."""
