"""The warehouse port and its adapters; it knows no Salesforce."""
