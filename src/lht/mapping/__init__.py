"""Pure: Salesforce fields to columns, and the formats of their values."""
